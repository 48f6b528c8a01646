"""Torch modules only: autoencoder, source and guidance encoders, denoiser. No ROS, no files."""
