"""What a model makes of missing parts: previews, sweeps, studies of missingness bias."""
