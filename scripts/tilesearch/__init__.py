"""tilesearch: where should the N points of a parallel hyperparameter search lie?"""

__version__ = "0.1.0"
