"""What notebooks show of the six: scikit-learn's diagram, with parameters and what was fitted."""

import re

import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn.preprocessing import TimestepTransformer
from tests.helpers import fit_tiny, make_sequences, make_targets, tiny


def rows_of(html):
    """The parameters that the diagram's tables list, by name, with their values."""
    pattern = r'<td class="param">(.*?)</td>\s*<td class="value">(.*?)</td>'
    cells = re.findall(pattern, html, flags=re.DOTALL)
    return {re.sub(r"<.*", "", name, flags=re.DOTALL).strip(): value for name, value in cells}


@pytest.mark.parametrize("fitted", [False, True])
def test_all_parameters_are_shown_with_their_values(Estimator, fitted):
    model = fit_tiny(Estimator) if fitted else tiny(Estimator)
    html = model._repr_html_()
    rows = rows_of(html)
    assert rows.keys() == model.get_params().keys()
    assert rows["hidden_size"] == "4"
    assert rows["pooling"] == "&#x27;last&#x27;"
    assert ("<span>Fitted</span>" in html) is fitted


def test_a_pipeline_shows_the_model_inside(Estimator):
    X = make_sequences()
    pipeline = make_pipeline(TimestepTransformer(StandardScaler()), tiny(Estimator))
    for html in (
        pipeline._repr_html_(),
        pipeline.fit(X, make_targets(pipeline))._repr_html_(),
    ):
        assert Estimator.__name__ in html
        assert "TimestepTransformer" in html


def test_with_an_address_every_parameter_has_its_description(Estimator, monkeypatch):
    """The links and tooltips of scikit-learn 1.9, which it shows for models that have one."""
    monkeypatch.setattr(Estimator, "_doc_link_module", "sklearn_rnn")
    monkeypatch.setattr(Estimator, "_doc_link_template", "https://example.org/{estimator_name}")
    html = Estimator()._repr_html_()
    linked = re.findall(r'<a class="param-doc-link".*?href="(.*?)".*?</a>', html, re.DOTALL)
    assert len(linked) == len(Estimator().get_params())
    assert all(f"example.org/{Estimator.__name__}#" in link for link in linked)
    assert "Width of the hidden state" in html
