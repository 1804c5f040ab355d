"""
Who is speaking? A grid search on recordings of unequal length
==============================================================

How a recurrent network is searched over like any other estimator of scikit-learn: recordings of 7
to 29 time steps go as they are through a pipeline, cross-validation and a grid search, without a
single padded step. Nine speakers said the vowels /ae/ (Japanese Vowels; Kudo, Toyama and Shimbo
1999); each step has twelve features of the sound.
"""

import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier
from sklearn_rnn.datasets import load_japanese_vowels
from sklearn_rnn.preprocessing import TimestepTransformer

data = load_japanese_vowels()
print(data.X_train)

# %%
# ``TimestepTransformer`` standardises every feature over all steps of the training recordings. The
# grid has the width of the hidden state, and what of the states over time the output layer sees.

model = make_pipeline(
    TimestepTransformer(StandardScaler()), GRUClassifier(max_iter=100, random_state=0)
)
grid = {
    "gruclassifier__hidden_size": [4, 8, 16],
    "gruclassifier__pooling": ["last", "mean"],
}
search = GridSearchCV(model, grid, cv=3, n_jobs=2).fit(data.X_train, data.y_train)
print(search.best_params_)

# %%
# The winner, fitted on all training recordings, names the speakers of 370 others.

results = search.cv_results_
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), width_ratios=(1, 1.1))
for pooling, style in (("last", "o-"), ("mean", "s--")):
    rows = results["param_gruclassifier__pooling"] == pooling
    left.errorbar(
        results["param_gruclassifier__hidden_size"][rows].astype(int),
        results["mean_test_score"][rows],
        results["std_test_score"][rows],
        fmt=style,
        capsize=3,
        label=f'pooling="{pooling}"',
    )
left.set_xscale("log", base=2)
left.set_xticks([4, 8, 16], ["4", "8", "16"])
left.set(xlabel="hidden_size", ylabel="accuracy (3 folds, ± std)", title="The search")
left.legend()

ConfusionMatrixDisplay.from_estimator(
    search, data.X_test, data.y_test, ax=right, colorbar=False, cmap="Blues"
)
right.grid(False)
right.set_title(f"370 new recordings: accuracy {search.score(data.X_test, data.y_test):.3f}")
plt.show()

# %%
# More units do better here, and the state after the last step says more than the mean of all.
