"""Benches: side-by-side ratios within one run, never an absolute speed that another machine would not reach."""
