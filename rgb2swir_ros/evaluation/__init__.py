"""Judge what a translator makes: detection mAP by a detector trained on true SWIR frames."""
