"""Triangle meshes of what stands along a road."""
