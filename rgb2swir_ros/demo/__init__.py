"""The demo: camera, translator and recorder in three processes, every frame accounted for."""
