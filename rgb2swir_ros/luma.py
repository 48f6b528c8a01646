"""Luma: how bright red, green and blue of a gamma-coded picture are together."""

REC601 = (.299, .587, .114)  # ITU-R BT.601
