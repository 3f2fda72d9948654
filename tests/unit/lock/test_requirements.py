"""Requirements brought to one spelling, by the quick way and by `packaging` alike; requirements files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlplan.lock import requirements
from mlplan.lock.requirements import Listed, Unreadable, malformed_pin, name_of, normalised, read_requirements


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("scikit-learn==1.5.2", "scikit-learn==1.5.2"),
        (" Scikit_Learn [B, a]>=1 ,  ==1.5.* ", "scikit-learn[a,b]==1.5.*,>=1"),
        ("numpy", "numpy"),
        ("numpy<3,>=1.26", "numpy<3,>=1.26"),
        ("numpy>=1.26,<3", "numpy<3,>=1.26"),
        ("ruamel.yaml~=0.18.1", "ruamel-yaml~=0.18.1"),
        ("torch==2.1.0+cpu", "torch==2.1.0+cpu"),
        ("a==1rc1", "a==1rc1"),
        ("a (>=1)", "a>=1"),
        ("uvloop>=0.19; sys_platform!='win32'  and python_version<\"3.13\"",
         'uvloop>=0.19 ; sys_platform != "win32" and python_version < "3.13"'),
        ("a ; (sys_platform=='win32' or extra=='x') and os_name=='nt'",
         'a ; (sys_platform == "win32" or extra == "x") and os_name == "nt"'),
        ("Own.Pkg @ https://host/own-1.0.whl", "own-pkg @ https://host/own-1.0.whl"),
        ("own @ https://${USER_X}:${KEY_X}@host/own-1.0.whl", "own @ https://${USER_X}:${KEY_X}@host/own-1.0.whl"),
    ],
)  # fmt: skip
def test_one_spelling(written: str, normal: str) -> None:
    assert normalised(written) == normal
    assert normalised(normal) == normal


VERSIONS = st.sampled_from(["1", "1.2", "1.2.3", "0.19", "2024.1", "1.0rc1", "1.0a2"])
CLAUSES = st.builds(lambda op, space, version: f"{op}{space}{version}",
                    st.sampled_from(["==", "!=", ">=", "<=", "<", ">", "~="]), st.sampled_from(["", " "]), VERSIONS
                    ) | st.sampled_from(["==1.*", "!= 2.1.*", "~= 1.0", "==1.0.post1", "===1.0"])  # fmt: skip
TERMS = st.builds(
    lambda name, op, quote, value: f"{name}{op}{quote}{value}{quote}",
    st.sampled_from(["python_version", "sys_platform", "platform_python_implementation", "platform_machine"]),
    st.sampled_from(["==", " != ", ">=", " <"]),
    st.sampled_from("'\""),
    st.sampled_from(["3.10", "linux", "CPython"]),
)
REQUIREMENTS = st.builds(
    lambda name, extras, clauses, terms: (
        name + (f"[{','.join(extras)}]" if extras else "") + ", ".join(clauses) + ("; " if terms else "") + terms
    ),
    st.sampled_from(["numpy", "Scikit_Learn", "ruamel.yaml", "a", "A-b_c"]),
    st.lists(st.sampled_from(["all", "Test_Data", "x.y"]), max_size=2),
    st.lists(CLAUSES, max_size=3, unique=True),
    st.lists(TERMS, max_size=3).map(" and ".join) | st.lists(TERMS, max_size=2).map(" or ".join),
)


@given(REQUIREMENTS)
def test_the_quick_way_says_what_packaging_says(requirement: str) -> None:
    try:
        slow = requirements._by_packaging(requirement)
    except Unreadable:
        with pytest.raises(Unreadable):
            normalised(requirement)
    else:
        assert normalised(requirement) == slow


@given(st.text(alphabet="ab1.=<>~!,;[]@ -_'\"#/:", max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        normal = normalised(text)
    except Unreadable:
        return
    assert normalised(normal) == normal


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("numpy=1.2", "a version is pinned with two equals signs, `==`; a single one is conda's way"),
        ("numpy_", "a name ends in a letter or a digit"),
        ("numpy[a_]", "a name ends in a letter or a digit"),
        ("numpy 1.2", "`==` is missing between the name and the version"),
        ("./wheels/own.whl", "it is a path, and what stands there can't be pinned"),
        ("own-1.0.tar.gz", "it is a path, and what stands there can't be pinned"),
        ("https://host/own.git", "a URL needs the package's name before it: `NAME @ URL`"),
        ("own @ https://ann:key@host/own.whl", "it holds a password, which would be committed with the lock file"),
    ],
)
def test_common_slips_are_named(written: str, why: str) -> None:
    with pytest.raises(Unreadable) as caught:
        normalised(written)
    assert str(caught.value) == why
    problem = malformed_pin(written, None)
    assert problem is not None
    assert problem.code == "MLP3401"


@pytest.mark.parametrize("package", ["numpy==1.2 --hash=sha256:0", "numpy[x]>1", "Num_Py", "num.py @ https://h"])
def test_name_of(package: str) -> None:
    assert name_of(package) in ("numpy", "num-py")


def listed(text: str, **files: str) -> Listed:
    def read(path: str) -> str:
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    return read_requirements("env/requirements.txt", text, read)


def said(found: Listed) -> list[tuple[str, str, str]]:
    return [(problem.code, str(problem.span), problem.detail) for problem in found.problems]


def test_a_whole_file() -> None:
    found = listed(
        "\ufeff# what we need\n"
        "-i https://one.example/simple\n"
        "--extra-index-url=https://two.example/simple\n"
        "-f ./wheels\n"
        "--index-url https://${U}:${P}@three.example/simple  # the last counts\n"
        "--no-binary numpy\n"
        "--pre\n"
        "-r more.txt\n"
        "-c../bounds.txt\n"
        "SciKit-learn \\\n"
        "    >= 1.5   # newer\n"
        "numpy  # any\n"
        "pandas#egg\n",
        **{"env/more.txt": "joblib\n-r deep/er.txt", "env/deep/er.txt": "six", "bounds.txt": "numpy<3"},
    )
    assert said(found)[0][:2] == ("MLP1301", "env/requirements.txt:13:1")
    assert found._replace(problems=()) == Listed(
        ("joblib", "six", "scikit-learn>=1.5", "numpy"),
        ("numpy<3",),
        (
            "--index-url https://${U}:${P}@three.example/simple",
            "--extra-index-url https://two.example/simple",
            "--find-links env/wheels",
            "--no-binary numpy",
            "--pre",
        ),
        (),
    )


def test_hashes_are_left_out_with_one_warning() -> None:
    found = listed("six==1 --hash=sha256:00 \\\n  --hash=sha256:11\nnumpy==2 --hash=sha256:22\n--require-hashes\n")
    assert found.requirements == ("six==1", "numpy==2")
    assert [(p.code, p.severity, str(p.span)) for p in found.problems] == [
        ("MLP1305", "warning", "env/requirements.txt:1:1")
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("-e .", "MLP1302"),
        ("--editable=git+https://host/x", "MLP1302"),
        ("--trusted-host host", "MLP1302"),
        ("--use-feature fast", "MLP1302"),
        ("six --global-option=x", "MLP1302"),
        ("--index-url https://ann:key@host/simple", "MLP1303"),
        ("--extra-index-url https://token@host/simple", "MLP1303"),
        ("-r missing.txt", "MLP1304"),
        ("-r requirements.txt", "MLP1304"),
        ("./own.whl", "MLP1301"),
    ],
)
def test_what_cant_be_taken_over_is_refused_at_its_line(line: str, code: str) -> None:
    found = listed(f"six\n{line}\n")
    assert [(problem[0], problem[1]) for problem in said(found)] == [(code, "env/requirements.txt:2:1")]
    assert "key" not in said(found)[0][2]
    assert found.problems[0].hint


def test_files_that_include_each_other_are_refused() -> None:
    found = listed("-r a.txt", **{"env/a.txt": "-r requirements.txt"})
    assert said(found) == [
        (
            "MLP1304",
            "env/a.txt:1:1",
            "The file includes itself: env/requirements.txt -> env/a.txt -> env/requirements.txt.",
        )
    ]
