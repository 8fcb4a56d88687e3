"""Which headings mean which section, by language, and which ones only look like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.card.document import Card
from hubpub.card.headings import Content, Globs, is_other_section, normalised, read_heading
from hubpub.card.profiles import default_profile
from hubpub.card.sections import card_meanings, course_sections, required_sections, section_meanings

DESCRIPTION, USES, HOW, LIMITS, DATA, TRAINING, RESULTS = (section.id for section in course_sections())
CODE = Content(code=True)

# language -> the headings for each of the seven, in the order of the course
BY_LANGUAGE = {
    "en": (
        [
            "Model description",
            "Model Details",
            "📖 Overview",
            "What is it?",
            "About this model",
            "Model Architecture",
            "Details of the downstream task (Q&A) - Model 🧠",
        ],
        ["Intended uses & limitations", "Uses", "Use cases", "Out-of-Scope Use", "Intended Audience", "Direct Use"],
        ["How to use", "Usage (HuggingFace Transformers)", "Quickstart", "Get started", "Model in action 🚀"],
        ["Limitations and bias", "Bias, Risks, and Limitations", "Ethical considerations", "Known issues"],
        ["Training data", "Dataset", "Pre-training corpora", "Training and evaluation data", "Data sources", "Corpus"],
        ["Training procedure", "Training details", "Fine-tuning", "Hyper-parameters", "Framework versions", "Training"],
        ["Evaluation results", "Results on the test set", "Metrics", "Benchmarks", "Performance", "LM Eval results"],
    ),
    "zh": (
        ["模型描述", "模型介绍", "一、模型简介", "简介", "模型架構"],
        ["预期用途", "使用场景", "适用范围", "應用場景", "用途与限制"],
        ["如何使用", "使用方法", "快速开始", "模型推理示例", "使用說明"],
        ["局限性", "限制与偏见", "风险与局限", "免责声明", "已知问题"],
        ["训练数据", "数据集", "预训练语料", "訓練資料", "数据来源"],
        ["训练过程", "训练细节", "超参数设置", "微调方法", "訓練過程"],
        ["评估结果", "评测结果", "性能", "实验结果", "評估結果"],
    ),
    "ja": (
        ["モデルの説明", "モデル概要", "概要", "モデルの詳細", "このモデルについて"],
        ["想定される用途", "用途", "利用目的", "想定ユーザー", "意図された用途と制限"],
        ["使い方", "使用方法", "利用方法", "クイックスタート", "推論"],
        ["制限とバイアス", "制限事項", "バイアス、リスク、制限", "注意事項", "既知の問題"],
        ["学習データ", "訓練データ", "データセット", "トレーニングデータ", "事前学習データ"],
        ["学習手順", "訓練手順", "学習の詳細", "ハイパーパラメータ", "ファインチューニング"],
        ["評価結果", "性能", "ベンチマーク結果", "実験結果", "評価"],
    ),
    "fr": (
        ["Description du modèle", "Présentation", "Détails du modèle", "À propos du modèle", "Architecture du modèle"],
        ["Utilisations prévues", "Usages prévus et limites", "Cas d'usage", "Utilisation prévue", "Hors du champ"],
        ["Comment utiliser le modèle", "Utilisation", "Démarrage rapide", "Exemple d’utilisation", "Prise en main"],
        ["Limites et biais", "Biais, risques et limites", "Considérations éthiques", "Limitations", "Avertissement"],
        ["Données d'entraînement", "Donnees d'entrainement", "Jeu de données", "Corpus", "Données d’apprentissage"],
        ["Procédure d'entraînement", "Entraînement", "Hyperparamètres", "Pré-entraînement"],
        ["Résultats d'évaluation", "Évaluation", "Performances", "Résultats", "Métriques"],
    ),
    "de": (
        ["Modellbeschreibung", "Beschreibung", "Überblick", "Über das Modell", "Architektur"],
        ["Verwendungszweck", "Vorgesehene Verwendung und Einschränkungen", "Anwendungsfälle", "Zielgruppe"],
        ["Verwendung", "Nutzung", "Schnellstart", "Wie man das Modell verwendet", "Anwendungsbeispiel"],
        ["Einschränkungen und Verzerrungen", "Grenzen", "Risiken", "Ethische Überlegungen", "Haftungsausschluss"],
        ["Trainingsdaten", "Datensatz", "Datengrundlage", "Trainingskorpus", "Verwendete Daten"],
        ["Trainingsverfahren", "Trainingsdetails", "Training", "Feinabstimmung", "Hyperparameter"],
        ["Evaluationsergebnisse", "Ergebnisse", "Auswertung", "Leistung", "Evaluierung"],
    ),
    "es": (
        ["Descripción del modelo", "Descripcion", "Detalles del modelo", "Acerca del modelo", "Arquitectura"],
        ["Usos previstos y limitaciones", "Usos", "Casos de uso", "Uso directo", "Usos fuera de alcance"],
        ["Cómo usar", "Como usar el modelo", "Uso", "Ejemplo de uso", "Inicio rápido"],
        ["Limitaciones y sesgos", "Sesgos, riesgos y limitaciones", "Consideraciones éticas", "Advertencias"],
        ["Datos de entrenamiento", "Conjunto de datos", "Corpus", "Fuentes de datos", "Datos"],
        ["Procedimiento de entrenamiento", "Entrenamiento", "Hiperparámetros", "Ajuste fino"],
        ["Resultados de evaluación", "Evaluación", "Resultados", "Rendimiento", "Métricas"],
    ),
    "pt": (
        ["Descrição do modelo", "Descricao do modelo", "Detalhes do modelo", "Sobre o modelo", "Visão geral"],
        ["Usos pretendidos e limitações", "Uso pretendido", "Casos de uso", "Usos", "Finalidade"],
        ["Como usar", "Como utilizar o modelo", "Uso do modelo", "Exemplo de uso", "Início rápido"],
        ["Limitações e vieses", "Limitacoes", "Viés, riscos e limitações", "Considerações éticas", "Riscos"],
        ["Dados de treinamento", "Dados de treino", "Conjunto de dados", "Base de dados", "Fontes de dados"],
        ["Procedimento de treinamento", "Treinamento", "Hiperparâmetros", "Ajuste fino", "Detalhes do treinamento"],
        ["Resultados da avaliação", "Avaliação", "Resultados", "Desempenho", "Métricas"],
    ),
    "it": (["Descrizione del modello"], ["Usi previsti"], ["Come usare il modello"], ["Limitazioni e bias"],
           ["Dati di addestramento"], ["Procedura di addestramento"], ["Risultati della valutazione"]),
    "ko": (["모델 설명"], ["의도된 사용"], ["사용 방법"], ["한계 및 편향"], ["학습 데이터"], ["학습 과정"],
           ["평가 결과"]),
    "ru": (["Описание модели"], ["Предполагаемое использование"], ["Как использовать"], ["Ограничения и риски"],
           ["Обучающие данные"], ["Процедура обучения"], ["Результаты"]),
}  # fmt: skip
TABLE = [
    pytest.param(heading, meant.id, id=f"{language} {heading}")
    for language, groups in BY_LANGUAGE.items()
    for meant, headings in zip(course_sections(), groups, strict=True)
    for heading in headings
]


@pytest.mark.parametrize(("heading", "meant"), TABLE)
def test_a_heading_means_its_section_and_no_other(heading: str, meant: str) -> None:
    assert section_meanings(heading) == {meant}


# heading -> what it must not mean; None: it means none of the seven
NEAR_MISSES = {
    # English
    "Training setting": DATA,
    "Memory usage": None,
    "GPU memory usage": None,
    "License and usage": None,
    "Usage and limitations": HOW,
    "Inductive bias": None,
    "Bias terms": None,
    "Bias type coverage": None,
    "License limitations": None,
    "Evaluation data": DATA,
    "Test dataset": None,
    "Dataset license": None,
    "Data format": None,
    "Using confidence scores": HOW,
    "Performance tips": None,
    "Experimental features": None,
    "Inference speed": HOW,
    "Fine-tune this model": None,
    "Fine-tuning on your own data": None,
    "Fine-tuning data": TRAINING,
    "Details of the downstream task (Q&A) - Dataset": DESCRIPTION,
    "Details of the downstream task": None,
    "Details of the downstream task (Syntax POS)": None,
    "Acceptable usage": HOW,
    "Acknowledgements": None,
    "How to cite": None,
    "Model card authors": None,
    "Environmental impact": None,
    "Users": None,
    "Resultant force": None,
    "Safetensors": None,
    "Datasheets": None,
    "Evolution": None,
    "User guide to the usage of my other repos and all that they hold, in one long sentence that names no section": HOW,
    # Chinese
    "模型列表": None,
    "引用": None,
    "许可证": None,
    "使用限制": HOW,
    "推理速度": HOW,
    "评测数据集": DATA,
    "用户协议": None,
    "目录": None,
    # Japanese
    "ライセンス": None,
    "謝辞": None,
    "使用データ": HOW,
    "評価データ": DATA,
    "推論速度": HOW,
    "モデル一覧": None,
    # French
    "Licence": None,
    "Remerciements": None,
    "Utilisation de la mémoire": None,
    "Jeu de données d'évaluation": DATA,
    "Description des données": DESCRIPTION,
    "Auteurs": None,
    # German
    "Lizenz": None,
    "Danksagung": None,
    "Beschreibung der Daten": DESCRIPTION,
    "Testdaten": None,
    "Kontakt": None,
    "Anforderungen": None,
    # Spanish
    "Licencia": None,
    "Agradecimientos": None,
    "Uso de memoria": HOW,
    "Datos de evaluación": DATA,
    "Usos previstos": HOW,
    "Autores": None,
    # Portuguese
    "Licença": None,
    "Agradecimentos": None,
    "Dados de teste": None,
    "Uso pretendido": HOW,
    "Requisitos": None,
    "Descrição dos dados": DESCRIPTION,
}


@pytest.mark.parametrize("heading", NEAR_MISSES)
def test_a_near_miss_does_not_mean_it(heading: str) -> None:
    meant = section_meanings(heading)
    unwanted = NEAR_MISSES[heading]
    assert unwanted not in meant if unwanted else not meant


@pytest.mark.parametrize(
    ("heading", "without_code", "with_code"),
    [
        ("Examples", set(), {HOW}),
        ("Demo", set(), {HOW}),
        ("Using FlagEmbedding", set(), {HOW}),
        ("Load CamemBERT and its sub-word tokenizer", set(), {HOW}),
        ("Use", {USES}, {HOW}),
        ("Beispiele", set(), {HOW}),
        ("示例", set(), {HOW}),
        ("Results", {RESULTS}, {RESULTS}),
    ],
)
def test_some_headings_depend_on_code_below_them(heading: str, without_code: set[str], with_code: set[str]) -> None:
    assert section_meanings(heading) == without_code
    assert section_meanings(heading, content=CODE) == with_code


@pytest.mark.parametrize(
    ("heading", "meant"),
    [
        ("模型介绍 (Introduction)", {DESCRIPTION}),
        ("Usage | 使用方法", {HOW}),
        ("训练数据 Training data", {DATA}),
        ("学習データ / Training data", {DATA}),
        ("Performance and Limitations", {RESULTS, LIMITS}),
        ("Model description and intended uses", {DESCRIPTION, USES}),
        ("Training data and procedure", {DATA, TRAINING}),
        ("Intended uses and limitations", {USES}),
        ("Training results", {TRAINING, RESULTS}),
    ],
)
def test_headings_in_two_languages_and_for_two_sections(heading: str, meant: set[str]) -> None:
    assert section_meanings(heading) == meant


def meanings(text: str) -> list[tuple[str, set[str]]]:
    card = Card.parse(text)
    by_offset = card_meanings(card, default_profile())
    return [(section.heading, set(by_offset[section.heading_start])) for section in card.sections]


def test_a_general_word_inside_another_section_does_not_mean_the_model() -> None:
    text = "# x\n\n## Training data\n### Overview\n## Evaluation\n### Dataset\n### Summary\n## Training\n### Data\n"
    assert meanings(text) == [
        ("x", set()),
        ("Training data", {DATA}),
        ("Overview", set()),
        ("Evaluation", {RESULTS}),
        ("Dataset", set()),
        ("Summary", set()),
        ("Training", {TRAINING}),
        ("Data", {DATA}),
    ]


@pytest.mark.parametrize(
    ("title", "meant"),
    [
        ("GPT-2 finetuned on the CORD-19 dataset", set()),
        ("Qwen TTS evaluation", set()),
        ("How to use BERT for NER", set()),
        ("Model description", {DESCRIPTION}),
        ("Load model", {HOW}),
        ("Usage", {HOW}),
    ],
)
def test_the_title_names_the_model_unless_it_is_a_section_word_for_word(title: str, meant: set[str]) -> None:
    assert meanings(f"# {title}\n\n## Contact\n")[0][1] == meant


def test_training_code_is_not_how_to_use() -> None:
    code = "```python\nmodel = AutoModel.from_pretrained('a/b')\n```\n"
    assert not required_sections(Card.parse(f"# x\n\n## Training\n\n{code}"))[course_sections()[2]].present
    assert required_sections(Card.parse(f"# x\n\n## Anything\n\n{code}"))[course_sections()[2]].filled


@pytest.mark.parametrize(
    "heading", ["Citation", "How to cite", "BibTeX entry and citation info", "许可", "Lizenz", "Contact"]
)
def test_sections_that_stand_for_themselves(heading: str) -> None:
    assert is_other_section(heading)
    assert not is_other_section("Usage")


@pytest.mark.parametrize(
    ("heading", "plain"),
    [
        ("2.1) _Intended_ Uses &amp; Limitations ⚠️ (optional)", "intended uses and limitations"),
        ("1️⃣ How to use", "how to use"),
        ("iv. Évaluation :", "evaluation"),
        ("Ｔｒａｉｎｉｎｇ　Ｄａｔａ", "training data"),
        ("Hyper-parameters", "hyperparameters"),
        ("三、训练数据", "训练数据"),
        ("**Don’t**", "don't"),
    ],
)
def test_headings_are_normalised(heading: str, plain: str) -> None:
    assert normalised(heading) == plain


def test_globs() -> None:
    globs = Globs(["a", "b*", "*c", "d * e", "Gebäude*"])
    assert [text for text in ("a", "ab", "b", "bx", "xc", "c", "d e", "d x e", "gebaude") if globs.match(text)] == [
        "a", "b", "bx", "xc", "c", "d x e", "gebaude",
    ]  # fmt: skip
    assert not globs.match("x" * 90 + "c")


@given(st.text(max_size=200))
def test_any_text_is_a_heading(text: str) -> None:
    heading = read_heading(text)
    assert heading.plain == normalised(text)
    assert normalised(heading.plain) == heading.plain or len(heading.plain) < len(text) + 20
    assert section_meanings(text) <= {section.id for section in course_sections()}
