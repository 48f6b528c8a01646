"""The ablation: what each part of the method earns, every row trained and judged alike."""
