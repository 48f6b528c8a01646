"""How pictures are shown: the weights of luma, and the gamma of display values."""

REC601 = (.299, .587, .114)  # ITU-R BT.601

DISPLAY_GAMMA = 2.2  # display value = radiance ** (1 / DISPLAY_GAMMA)
