"""The straight path between a clean latent and noise (rectified flow, arXiv 2209.03003)."""

from __future__ import annotations

from torch import Tensor


def interpolate(clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """Return ``z_t = (1 - t) z_0 + t e``.

    :param clean: ``z_0`` (B, C, h, w).
    :param noise: ``e``, the same shape.
    :param t: (B,) in [0, 1].
    """
    t = t.reshape(-1, 1, 1, 1)
    return (1 - t) * clean + t * noise


def euler_step(latent: Tensor, clean: Tensor, t: float, s: float) -> Tensor:
    """Return the latent at time ``s < t`` on the straight path that ends at ``clean``.

    The path's velocity is ``e - z_0 = (z_t - z_0) / t``, so a step to 0 gives ``clean`` itself.

    :raises ValueError: if not ``0 <= s < t <= 1``.
    """
    if not 0 <= s < t <= 1:
        raise ValueError(f'a step from t={t} to s={s} does not go down inside [0, 1]')
    return clean + (latent - clean) * (s / t)
