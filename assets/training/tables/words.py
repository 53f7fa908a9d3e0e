"""What the cards of the networks for tables say that no script can measure."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class TableWords:
    """The words of a card.

    Attributes:
        title, summary: as on the card.
        data: what the table is, where it comes from, its licence.
        limits: what the network is not good for.
        paper: key in the bibliography.
        more: further facts.
    """

    title: str
    summary: str
    data: str
    limits: str
    paper: str
    more: dict[str, str] = field(default_factory=dict)


_COMPAS = (
    "6,172 people who were arrested in Broward County, Florida, in 2013 and 2014: public records "
    "obtained and published by ProPublica in 2016 (no licence stated), filtered as in their "
    "analysis. Six yes-or-no columns, coded as by Dong and Rudin (2020); names, birth dates and "
    "all else were dropped"
)
_COMPAS_LIMITS = (
    "Little better than a guess: six yes-or-no columns, one county, two years. There are 64 "
    "combinations, and people with the same six answers get the same output."
)
_COMPAS_ETHICS = {
    "Label": "An arrest within two years, not a crime: who is arrested also depends on where the "
    "police look. The errors of those records are in the network.",
    "Ethics": "These are real people. Race is a column so that a model's reliance on it can be "
    "studied; leaving it out would not remove it, as other columns stand in for it. Never to be "
    "used for decisions about people.",
}
COMPAS_LOGISTIC = TableWords(
    "COMPAS logistic regression",
    "Six weights that anyone can read: what speaks for a new arrest. For the study of models, "
    "never for decisions.",
    _COMPAS,
    _COMPAS_LIMITS,
    "angwin2016machine",
    _COMPAS_ETHICS,
)
COMPAS_MLP = TableWords(
    "COMPAS network",
    "A small network on the six columns of the logistic regression, about as good. For the study "
    "of models, never for decisions.",
    _COMPAS,
    _COMPAS_LIMITS,
    "angwin2016machine",
    _COMPAS_ETHICS,
)
CANCER = TableWords(
    "Breast cancer network",
    "Tells malignant from benign tumours by 30 measures of their cells.",
    "Breast Cancer Wisconsin (Diagnostic): 569 tumours, W. Wolberg, W. N. Street and "
    "O. Mangasarian, UCI Machine Learning Repository, CC BY 4.0; as in scikit-learn, rows shuffled",
    "For the study of models, not for diagnosis. Many of the 30 columns say nearly the same "
    "(radius, perimeter, area), so credit may fall on any of them. The interval is wide: few rows.",
    "street1993nuclear",
)
DIABETES = TableWords(
    "Diabetes network",
    "Foretells how far the illness has gone a year later, by ten measures.",
    "442 patients with diabetes, from Efron, Hastie, Johnstone and Tibshirani (2004), no licence "
    "stated; as in scikit-learn (BSD-3-Clause), in the units measured, rows shuffled",
    "For the study of models, not for treatment. About half of the variance is told. The source "
    "does not say which sex is 1 and which is 2; the six blood values move together.",
    "efron2004least",
)
ADULT = TableWords(
    "Adult income network",
    "Tells who earned over 50,000 dollars a year in the US census of 1994, by numbers and "
    "categories.",
    "Adult, B. Becker and R. Kohavi, UCI Machine Learning Repository, CC BY 4.0. Trained on the "
    "32,561 rows of adult.data; 5,000 of the 16,281 rows of adult.test are shipped. Dropped: "
    "fnlwgt (a weight of the survey) and education-num (education again, as a number). “?” is a "
    "category of its own",
    "The dollars, work and households of 1994. Sex, race and country of birth are columns so that "
    "a model's reliance on them can be studied; never to be used for decisions about people.",
    "kohavi1996scaling",
)
