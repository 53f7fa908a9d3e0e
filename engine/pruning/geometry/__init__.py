"""Where pictures lie at the classifier, network by network."""
