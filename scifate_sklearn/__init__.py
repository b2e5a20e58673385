"""TF → target networks from newly made RNA, as scikit-learn estimators."""

__version__ = "0.1.0"
