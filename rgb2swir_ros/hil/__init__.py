"""Hardware in the loop: a SWIR camera for a bench, with fixed latency, faults and evidence."""
