"""Files of events: the same data in every form is the same; what is wrong is said in a sentence."""

import gzip
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import sparse

from lingxi.errors import FileUnreadable, InvalidInput, NotEnoughData, UnknownColumn
from lingxi.recommend.dataset import read_dataset
from lingxi.recommend.event_files import read_events
from lingxi.recommend.matrix import densify

ROWS = [(7, 3, 1_700_000_000, 1.0), (7, 4, 1_700_000_060, 2.0), (12, 3, 1_700_086_400, 0.5)]
MICROS = [time * 1_000_000 for _, _, time, _ in ROWS]


def _write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def _parquet(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


def _forms(folder):
    """The same events, ids and times written in many ways."""
    who, what, when, weight = (list(column) for column in zip(*ROWS, strict=True))
    dates = [datetime.fromtimestamp(t, UTC) for t in when]
    head = "customer_id,item_id,timestamp,weight\n"
    lines = [f"{c},{i},{t},{w}" for c, i, t, w in ROWS]
    iso = [f"{c};{i};{d.isoformat()};{w}" for (c, i, _, w), d in zip(ROWS, dates, strict=True)]
    text = [str(c) for c in who]
    yield _write(folder / "a.csv", head + "\n".join(lines) + "\n")
    yield _write(folder / "b.csv", head.replace(",", ";") + "\n".join(iso) + "\n")
    yield _write(folder / "c.tsv", (head + "\n".join(lines)).replace(",", "\t"))
    yield _parquet(
        folder / "d.parquet", customer_id=who, item_id=what, timestamp=when, weight=weight
    )
    yield _parquet(
        folder / "e.parquet", weight=weight, timestamp=dates, item_id=what, customer_id=text
    )
    yield _parquet(
        folder / "f.parquet",
        customer_id=pa.array([7.0, 7.0, 12.0]),
        item_id=pa.array(["3", "4", "3"]).dictionary_encode(),
        timestamp=[t * 1000 for t in when],
        weight=pa.array(weight, pa.float32()),
        something=["x", None, "y"],
    )
    yield _parquet(  # today's nanoseconds are beyond what a double holds exactly
        folder / "g.parquet",
        customer_id=pa.array(["7.0", "7.0", "12.0"], pa.large_string()),
        item_id=pa.array([3, 4, 3], pa.uint8()),
        timestamp=pa.array([t * 10**9 for t in when], pa.int64()),
        weight=weight,
    )
    yield _parquet(
        folder / "i.parquet",
        **{"Customer_ID": who, " ITEM_ID": what, "Timestamp": when},
        weight=weight,
    )
    whole = [f"{c}.0;{i};{t};{w}" for c, i, t, w in ROWS]  # as data frames write ids with gaps
    yield _write(folder / "h.csv", "\ufeff" + head.replace(",", ";") + "\r\n".join(whole) + "\r\n")


def test_a_code_with_a_point_in_it_stays_as_it_is(tmp_path):
    path = _write(tmp_path / "a.csv", "customer_id,item_id\n1.0,7.0\n2.0,7.10\n")
    events = read_events(path)
    assert events.customers.decode() == ["1", "2"]
    assert events.items.decode() == ["7.0", "7.10"]


def test_ids_beyond_64_bits_stay_apart_as_they_are_in_text(tmp_path):
    ids = [1e20, 2e20, 1e20, 3.0]
    path = _parquet(tmp_path / "a.parquet", customer_id=ids, item_id=[1, 2, 3, 4])
    assert len(set(read_events(path).customers.decode())) == 3


@pytest.mark.parametrize(
    "times",
    [
        (20231114, 20231201, 20240229),
        (202311140000, 202312010000, 202402290000),
        (20231114000000, 20231201000000, 20240229000000),
    ],
)
def test_dates_written_as_whole_numbers_are_dates_and_not_seconds(tmp_path, times):
    days = [datetime(2023, 11, 14, tzinfo=UTC), datetime(2023, 12, 1, tzinfo=UTC)]
    days.append(datetime(2024, 2, 29, tzinfo=UTC))
    wanted = [int(day.timestamp()) * 10**6 for day in days]
    table = _parquet(
        tmp_path / "a.parquet", customer_id=[1, 1, 1], item_id=[1, 2, 3], timestamp=list(times)
    )
    lines = "".join(f"1,{time},{time}\n" for time in times)
    text = _write(tmp_path / "a.csv", "customer_id,item_id,timestamp\n" + lines)
    assert read_events(table).moments.tolist() == wanted
    assert read_events(text).moments.tolist() == wanted


@pytest.mark.parametrize("odd", [20231131, 20231301, 20231100, 5, 20231114.5])
def test_numbers_of_which_one_is_no_date_are_seconds(tmp_path, odd):
    table = _parquet(
        tmp_path / "a.parquet", customer_id=[1, 1], item_id=[1, 2], timestamp=[20231114.0, odd]
    )
    assert read_events(table).moments.tolist() == [20231114 * 10**6, int(odd * 10**6)]


def test_every_form_of_a_file_is_the_same_events(tmp_path):
    for path in _forms(tmp_path):
        events = read_events(path)
        assert events.customers.decode() == ["7", "7", "12"], path
        assert events.items.decode() == ["3", "4", "3"], path
        assert events.moments.tolist() == MICROS, path
        assert events.weights.tolist() == [1.0, 2.0, 0.5], path


def test_a_matrix_names_its_rows_and_columns_by_number(tmp_path):
    matrix = sparse.csr_matrix(np.array([[0, 2.0, 0], [1, 0, 0]]))
    sparse.save_npz(tmp_path / "m.npz", matrix)
    events = read_events(tmp_path / "m.npz")
    assert list(zip(events.customers.decode(), events.items.decode(), strict=True)) == [
        ("0", "1"),
        ("1", "0"),
    ]
    assert events.weights.tolist() == [2.0, 1.0]
    assert events.moments is None


@pytest.mark.parametrize(
    ("name", "content", "error", "words"),
    [
        ("none.csv", None, FileUnreadable, "no file"),
        ("empty.csv", "", FileUnreadable, "empty"),
        ("head.csv", "customer_id,item_id\n", FileUnreadable, "no line"),
        ("wrong.csv", "customer,item_id\n1,2\n", UnknownColumn, "customer_id"),
        ("bare.csv", "1,2\n3,4\n", UnknownColumn, "customer_id"),
        ("hole.csv", "customer_id,item_id\n1,2\n,3\n", InvalidInput, "no customer_id.*row 2"),
        ("cells.csv", "customer_id,item_id\n1,2\n1,2,3\n1,5\n", InvalidInput, "row 2"),
        ("w.csv", "customer_id,item_id,weight\n1,2,-1\n", InvalidInput, "at least 0"),
        ("w2.csv", "customer_id,item_id,weight\n1,2,much\n", InvalidInput, "hold numbers"),
        ("w3.csv", "customer_id,item_id,weight\n1,2,nan\n", InvalidInput, "missing"),
        ("t.csv", "customer_id,item_id,timestamp\n1,2,soon\n", InvalidInput, "'soon' at row 1"),
        ("t2.csv", "customer_id,item_id,timestamp\n1,2,5\n1,3,\n", InvalidInput, "no timestamp"),
        ("t3.csv", "customer_id,item_id,timestamp\n1,2,1e300\n", InvalidInput, "no time"),
        ("x.parquet", "customer_id", FileUnreadable, "Parquet"),
        ("x.npz", "no archive", FileUnreadable, "sparse matrix"),
    ],
)
def test_files_that_cannot_be_used_are_refused_in_a_sentence(tmp_path, name, content, error, words):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(error, match=words):
        read_events(path)


def test_matrices_and_tables_that_lie_are_refused(tmp_path):
    np.savez(tmp_path / "dense.npz", a=np.ones(3))
    with pytest.raises(FileUnreadable, match="sparse matrix"):
        read_events(tmp_path / "dense.npz")
    csr = sparse.csr_matrix(np.eye(3))
    csr.indices[1] = 99
    sparse.save_npz(tmp_path / "broken.npz", csr)
    with pytest.raises(FileUnreadable, match="damaged"):
        read_events(tmp_path / "broken.npz")
    sparse.save_npz(tmp_path / "minus.npz", sparse.csr_matrix(-np.eye(3)))
    with pytest.raises(InvalidInput, match="at least 0"):
        read_events(tmp_path / "minus.npz")
    pickled = np.array([{"a": 1}], dtype=object)
    np.savez(tmp_path / "pickle.npz", format=np.array("csr"), data=pickled, indices=pickled)
    with pytest.raises(FileUnreadable):
        read_events(tmp_path / "pickle.npz")
    lists = _parquet(tmp_path / "lists.parquet", customer_id=[[1]], item_id=[2])
    with pytest.raises(InvalidInput, match="no identifier"):
        read_events(lists)


def test_three_files_become_one_data_set(tmp_path):
    train = _write(
        tmp_path / "train.csv", "customer_id,item_id,timestamp\n1,a,10\n1,b,5\n2,a,7\n2,a,7\n"
    )
    history = _parquet(tmp_path / "history.parquet", customer_id=[3, 1], item_id=["b", "c"])
    test = _write(tmp_path / "test.csv", "item_id,customer_id\nz,1\na,3\na,2\nc,4\n")
    data = read_dataset(train, test, history)
    assert data.item_ids == ("a", "b", "c", "z")
    assert data.customer_ids == ("1", "2", "3", "4")
    assert data.taught.shape == (2, 4)
    assert data.taught.timed
    assert data.taught.items.tolist() == [1, 0, 0, 0]  # b before a
    assert data.asked.items.tolist() == [1, 0, 2, 0, 0, 1]  # what has no time comes last
    assert data.asked.lengths.tolist() == [3, 2, 1, 0]
    assert data.asked.rows.tolist() == [0, 1, -1, -1]
    assert densify(data.wanted).tolist() == [
        [0, 0, 0, 1],
        [1, 0, 0, 0],
        [1, 0, 0, 0],
        [0, 0, 1, 0],
    ]
    notes = " ".join(data.notes)
    assert "1 of 4 customers" in notes
    assert "2 of 4 items to find are not in train" in notes
    assert "1 of 4 items to find are in the customer's own history" in notes


def test_the_catalogue_of_a_matrix_is_all_its_columns(tmp_path):
    train = sparse.csr_matrix((np.ones(2), ([0, 1], [0, 2])), shape=(3, 5))
    test = sparse.csr_matrix((np.ones(1), ([0], [2])), shape=(3, 5))
    sparse.save_npz(tmp_path / "train.npz", train)
    sparse.save_npz(tmp_path / "test.npz", test)
    data = read_dataset(tmp_path / "train.npz", tmp_path / "test.npz")
    assert data.taught.shape == (2, 5)
    assert not data.taught.timed
    assert densify(data.wanted).tolist() == [[0, 0, 1, 0, 0]]


def test_nothing_to_find_or_to_learn_from_is_said(tmp_path):
    full = _write(tmp_path / "full.csv", "customer_id,item_id\n1,2\n")
    zero = _write(tmp_path / "zero.csv", "customer_id,item_id,weight\n1,2,0\n")
    sparse.save_npz(tmp_path / "nothing.npz", sparse.csr_matrix((3, 3)))
    with pytest.raises(NotEnoughData, match="to learn from"):
        read_dataset(tmp_path / "nothing.npz", full)
    with pytest.raises(NotEnoughData, match="to find"):
        read_dataset(full, tmp_path / "nothing.npz")
    with pytest.raises(NotEnoughData, match="weight 0"):
        read_dataset(full, zero)


def test_a_train_whose_weights_are_all_0_teaches_nothing_and_that_is_said(tmp_path):
    train = _write(tmp_path / "a.csv", "customer_id,item_id,weight\n1,2,0\n3,4,0\n")
    test = _write(tmp_path / "b.csv", "customer_id,item_id\n1,4\n")
    with pytest.raises(NotEnoughData, match=r"a\.csv have weight 0"):
        read_dataset(train, test)


def test_gzipped_text_is_read_and_what_is_no_table_is_named(tmp_path):
    text = "customer_id,item_id\n1,a\n2,b\n"
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    events = read_events(tmp_path / "a.csv.gz")
    assert events.items.decode() == ["a", "b"]
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(text.encode())[:-9])
    with pytest.raises(FileUnreadable, match="unpacked"):
        read_events(tmp_path / "cut.csv.gz")
    with pytest.raises(FileUnreadable, match="it holds json"):
        read_events(_write(tmp_path / "a.json", '{"customer_id": 1, "item_id": 2}'))


@pytest.mark.parametrize("timed", [True, False])
def test_a_history_that_holds_train_too_is_as_one_that_holds_the_rest(tmp_path, timed):
    """Leave-one-out gives "all but the last" as history: what is in train counted twice."""
    who, what = [1, 1, 1, 2, 2, 2, 3], ["a", "b", "a", "b", "c", "d", "c"]
    when = [1_700_000_000 + 60 * n for n in range(7)]

    def write(name, rows):
        columns = {"customer_id": [who[r] for r in rows], "item_id": [what[r] for r in rows]}
        times = {"timestamp": [when[r] for r in rows]} if timed else {}
        return _parquet(tmp_path / f"{name}.parquet", **columns, **times)

    train = write("train", [0, 1, 3, 4, 6])
    test = _parquet(tmp_path / "test.parquet", customer_id=[1, 2], item_id=["d", "d"])
    rest = read_dataset(train, test, write("rest", [2]))
    whole = read_dataset(train, test, write("whole", [0, 1, 2, 3, 4]))
    assert whole.asked.items.tolist() == rest.asked.items.tolist() == [0, 1, 0, 1, 2]
    assert whole.asked.moments.tolist() == rest.asked.moments.tolist()
    assert "4 events of the history are in train as well; they count once." in whole.notes


def test_an_item_met_again_is_no_event_of_train_where_times_are_unknown(tmp_path):
    train = _parquet(tmp_path / "a.parquet", customer_id=[1, 1], item_id=["a", "b"])
    test = _parquet(tmp_path / "b.parquet", customer_id=[1], item_id=["d"])
    history = _parquet(tmp_path / "c.parquet", customer_id=[1, 1], item_id=["c", "a"])
    data = read_dataset(train, test, history)
    assert sorted(data.item_ids[item] for item in data.asked.items) == ["a", "a", "b", "c"]
