"""Networks made narrower: fewer channels, hidden units and heads than their architecture says."""
