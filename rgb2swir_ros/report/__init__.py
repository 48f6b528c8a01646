"""Reports: a page of checks, tables, plots and pictures, which knows nothing about what they mean.

`model` says what a report consists of, `thresholds` makes checks of figures and a file of limits;
`html`, `data` and `junit` write it.
"""
