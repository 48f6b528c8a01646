"""Footage: read bags, videos and pictures, write SWIR ones, translate offline without ROS."""
