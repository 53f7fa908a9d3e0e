"""Network after network, cut by ratios, criteria and repairs, and judged on pictures."""
