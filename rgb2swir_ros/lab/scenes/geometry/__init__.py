"""Random triangle meshes of objects along a road."""
