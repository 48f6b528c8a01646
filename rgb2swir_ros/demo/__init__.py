"""The demo: camera, translator and recorder in three processes, which account for every frame."""
