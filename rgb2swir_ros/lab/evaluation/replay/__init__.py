"""The judgement of a replay: a second pass over the source's bag and the SWIR bag made of it."""
