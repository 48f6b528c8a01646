"""Luma: the brightness of a gamma-coded RGB picture."""

REC601 = (.299, .587, .114)  # ITU-R BT.601
