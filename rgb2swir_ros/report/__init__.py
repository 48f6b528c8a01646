"""Reports: tables and plots of any figures."""
