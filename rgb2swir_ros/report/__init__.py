"""Reports: tables and plots of figures, which know nothing of what they mean."""
