"""Uploads: formats, limits, encodings, and every kind of broken file."""

from __future__ import annotations

import csv
import io
import json
import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from unlearning.data.files import EXTENSIONS, UPLOAD, Limits, preview, read
from unlearning.errors import UserError

CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
VISIBLE = CELLS.filter(lambda cell: bool(cell.strip()))


def parquet(rows: list[dict]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def refused(data: bytes, name: str, **settings) -> UserError:
    with pytest.raises(UserError) as caught:
        read(data, name, **settings)
    assert name in caught.value.message and caught.value.hint
    return caught.value


@pytest.mark.parametrize("name", ["a.txt", "a.md", "A.TXT"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_plain_text_in_its_encodings(name, encoding) -> None:
    upload = read("Grüße\r\naus Ålesund\r".encode(encoding), name)
    assert upload.text == "Grüße\naus Ålesund\n" and upload.table is None


def test_all_table_formats_hold_the_same_rows() -> None:
    rows = [{"question": "Who?", "answer": "Ilva, née “Oss”"}, {"question": "W", "answer": "x"}]
    lines = "\n".join(json.dumps(row) for row in rows)
    written = {
        "a.json": json.dumps(rows).encode(),
        "lines.json": lines.encode(),
        "a.jsonl": (lines + "\n\n").encode("utf-16"),
        "a.csv": 'question,answer\nWho?,"Ilva, née “Oss”"\n\nW,x\n'.encode(),
        "semicolon.csv": "question;answer\nWho?;Ilva, née “Oss”\nW;x\n".encode(),
        "a.tsv": "question\tanswer\nWho?\tIlva, née “Oss”\nW\tx\n".encode(),
        "a.parquet": parquet(rows),
    }
    for name, data in written.items():
        upload = read(data, name)
        assert upload.table.columns == ("question", "answer"), name
        assert upload.table.rows == rows, name


def test_lists_of_texts_are_one_column() -> None:
    assert read(b'["one", "two"]', "a.json").table.rows == [{"text": "one"}, {"text": "two"}]
    assert read(b'"one"\n{"text": "two"}', "a.jsonl").table.columns == ("text",)


def test_line_separators_inside_json_texts_do_not_end_lines() -> None:
    line = json.dumps({"text": "a\u2028b\x85c"}, ensure_ascii=False)
    assert read(f"{line}\r\n{line}".encode(), "a.jsonl").table.rows == [json.loads(line)] * 2


def test_cells_of_csv_may_be_chapters() -> None:
    cell = "word " * 100_000
    assert read(f'text\n"{cell}"\n'.encode(), "a.csv").table.rows == [{"text": cell}]


@given(st.lists(st.tuples(VISIBLE, CELLS), min_size=1, max_size=6))
def test_csv_round_trip(rows) -> None:
    sink = io.StringIO()
    csv.writer(sink).writerows([("question", "answer"), *rows])
    table = read(sink.getvalue().encode(), "a.csv").table
    expected = [(q, a) for q, a in rows]
    assert [(row["question"], row["answer"]) for row in table.rows] == expected


@given(st.lists(st.dictionaries(CELLS, st.none() | CELLS | st.integers(), min_size=1), min_size=1))
def test_json_lines_round_trip(rows) -> None:
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    assert read(lines.encode(), "a.jsonl").table.rows == rows
    assert read(json.dumps(rows).encode(), "a.json").table.rows == rows


@given(data=st.binary(max_size=200), extension=st.sampled_from(EXTENSIONS))
@example(data=b"[" * 200_000, extension=".json")
@example(data=b"[" + b"9" * 5000 + b"]", extension=".json")
@example(data=b",,,\n", extension=".csv")
@example(data=b'a,b\n"', extension=".csv")
@example(data=b"\xff\xfe \x00\n\x00", extension=".csv")
@example(data=b"\xff\xfe\x00", extension=".txt")
@example(data=b"PAR1PAR1", extension=".parquet")
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(data, extension) -> None:
    try:
        upload = read(data, f"a{extension}")
    except UserError as error:
        assert error.message and error.hint
    else:
        assert upload.text or upload.table.rows
        assert preview(upload).rows or not upload.text.strip("\n\x00 ")


@given(st.text(max_size=120), st.sampled_from([".json", ".jsonl", ".csv", ".txt"]))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(text, extension) -> None:
    try:
        upload = read(text.encode("utf-8", "replace"), f"a{extension}")
    except UserError as error:
        assert error.message and error.hint
    else:
        assert upload.text or upload.table.rows


def test_empty_files() -> None:
    for name in ("a.txt", "a.csv", "a.jsonl", "a.parquet"):
        assert "is empty" in refused(b"", name).message
    assert "is empty" in refused(b" \n\t ", "a.md").message
    assert "is empty" in refused("\ufeff  ".encode("utf-16"), "a.txt").message
    assert "no rows" in refused(b"question,answer\n", "a.csv").message
    assert "no rows" in refused(b",,,\n", "a.csv").message
    assert "no rows" in refused(_no_rows(), "a.parquet").message
    assert "an empty list" in refused(b"[]", "a.json").message


def _no_rows() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), sink)
    return sink.getvalue()


def test_binary_content() -> None:
    assert "byte 3 is zero" in refused(b"abc\x00def", "a.txt").message
    assert "PDF" in refused(b"%PDF-1.7 ...", "a.txt").message
    assert "Office" in refused(b"PK\x03\x04....", "a.csv").message
    assert "not UTF-8" in refused(pickle.dumps(["x"], 4)[:2] + b"xx", "a.json").message


def test_wrong_encoding_names_the_byte() -> None:
    error = refused("abc é def".encode("latin-1"), "a.txt")
    assert "0xe9 at byte offset 4" in error.message and "UTF-8" in error.hint
    assert "byte offset 5" in refused(b"\xef\xbb\xbfab\xe9", "a.txt").message
    assert "UTF-16" in refused(b"\xff\xfea\x00b", "a.txt").message


def test_broken_json_names_line_and_column() -> None:
    assert "line 2, column 3" in refused(b'[{"a": 1},\n  x]', "a.json").message
    assert "line 2, column 6" in refused(b'{"a": 1}\n{"a" 2}', "a.jsonl").message
    assert "line 2, column 6" in refused(b'{"a": 1}\n{"a" 2}', "a.json").message
    assert "Nested too deeply" in refused(b"[" * 200_000, "a.json").message


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b'{"text": "x"}', "one object"),
        (b'"text"', "one text"),
        (b"3", "a number"),
        (b"true", "a truth value"),
        (b"null", "nothing"),
        (b'["x", 3]', "item 2 is a number"),
        (b'[["x"]]', "item 1 is a list"),
    ],
)
def test_json_of_another_shape(data, what) -> None:
    assert what in refused(data, "a.json").message


def test_json_lines_of_another_shape() -> None:
    assert "line 2 is a list" in refused(b'"x"\n["y"]', "a.jsonl").message


def test_broken_csv_names_the_line() -> None:
    assert "line 3: 3 cell(s)" in refused(b"q,a\n1,2\n1,2,3\n", "a.csv").message
    assert "line 2: 1 cell(s)" in refused(b"q,a\n1\n", "a.csv").message
    assert "line 3: unexpected end" in refused(b'q,a\n1,2\n3,"open\n4,5\n', "a.csv").message
    assert "line 5: 1 cell(s)" in refused(b'q,a\n\n"1\n2",3\n4\n', "a.csv").message
    assert "two columns named 'q'" in refused(b"q,q\n1,2\n", "a.csv").message


def test_broken_parquet() -> None:
    assert "not a readable Parquet" in refused(b"question,answer", "a.parquet").message
    whole = parquet([{"text": "x" * 50}])
    assert "not a readable Parquet" in refused(whole[:-20], "a.parquet").message
    assert "Parquet file under another name" in refused(whole, "a.csv").message


def test_parquet_with_text_that_is_not_utf8() -> None:
    ends, cell = pa.py_buffer(b"\0\0\0\0\4\0\0\0"), pa.py_buffer(b"caf\xe9")
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": pa.StringArray.from_buffers(1, ends, cell)}), sink)
    assert "not UTF-8: 0xe9" in refused(sink.getvalue(), "a.parquet").message


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_halves_of_characters_are_left_out_of_json(name) -> None:
    row = {"text": "a\ud800b 😀", "group": "\udfffc", "perturbed_answers": ["d\ud800"], "n": 1.5}
    row["messages"] = [{"role": "user", "content": "e\ud800"}]
    line = json.dumps(row | {"f\ud800": r"\ud800"})
    assert read((f"[{line}]" if name == "a.json" else line).encode(), name).table.rows == [
        {
            "text": "ab 😀",
            "group": "c",
            "perturbed_answers": ["d"],
            "n": 1.5,
            "messages": [{"role": "user", "content": "e"}],
            "f": r"\ud800",
        }
    ]


@pytest.mark.parametrize("name", ["a.docx", "a.pkl", "noextension", ".bashrc"])
def test_unknown_extensions(name) -> None:
    assert ".jsonl" in refused(b"x", name).hint


def test_exactly_the_limit_works_and_one_byte_more_does_not(tmp_path) -> None:
    line = b"a line of words\n"
    whole = line * (UPLOAD.bytes // len(line))
    assert len(whole) == UPLOAD.bytes == 10 * 2**20
    upload = read(whole, "a.txt")
    assert len(upload.text) == UPLOAD.characters and "2,000,000" in upload.notices[0]
    error = refused(whole + b"x", "a.txt")
    assert "10.00 MB; the limit is 10 MB" in error.message
    path = tmp_path / "a.txt"
    path.write_bytes(whole + b"x")
    with pytest.raises(UserError, match="the limit is 10 MB"):
        read(path)
    assert len(read(path, limits=None).text) == len(whole) + 1


def test_rows_beyond_the_limits_are_left_out_and_said_so() -> None:
    rows = [{"text": "x" * 10}] * 30
    for name, data in (("a.json", json.dumps(rows).encode()), ("a.parquet", parquet(rows))):
        by_rows = read(data, name, limits=Limits(rows=20))
        assert len(by_rows.table.rows) == 20 and "first 20 rows" in by_rows.notices[0]
        by_length = read(data, name, limits=Limits(characters=105))
        assert len(by_length.table.rows) == 10 and "first 10 rows" in by_length.notices[0]
        assert read(data, name).notices == () and len(read(data, name).table.rows) == 30


def test_paths(tmp_path) -> None:
    (tmp_path / "a.txt").write_text("hello there")
    assert read(tmp_path / "a.txt").text == "hello there"
    assert read(str(tmp_path / "a.txt"), "shown.md").name == "shown.md"
    with pytest.raises(UserError, match="There is no file"):
        read(tmp_path / "none.txt")
    with pytest.raises(UserError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(UserError, match="cannot be read"):
        read("a\0.txt")


@pytest.mark.parametrize("text", ["a few words " * 40, "wörter " * 40, "one line\nand another"])
def test_text_in_place_of_a_path(text) -> None:
    with pytest.raises(UserError) as caught:
        read(text)
    assert "is text, not a file" in caught.value.message
    assert "\n" not in caught.value.message and len(caught.value.message) < 100
    assert "--forget -" in caught.value.hint


def test_preview_shows_short_texts() -> None:
    table = preview(read(b'[{"a": "' + b"x" * 900 + b'", "b": [1]}, {"a": null}]', "a.json"), 2)
    assert table.columns == ("a", "b")
    assert len(table.rows[0]["a"]) == 300 and table.rows[0]["b"] == "[1]"
    assert table.rows[1] == {"a": "", "b": ""}
    texts = preview(read(b"one\n\n\n\ntwo\n\nthree", "a.txt"), 2)
    assert [row["text"] for row in texts.rows] == ["one", "two"]
