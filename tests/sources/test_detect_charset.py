"""The charset of a file: settled on few bytes, recorded, and never guessed over what is told."""

import pytest

from pipshare.errors import BadInput
from pipshare.sources.files.charset import find_charset

WORDS = {
    "cp1251": ["Иван Образцов", "Демо счет", "Перевод со счета 1234", "Баланс", "Пополнение",
               "ЗАКРЫТЫЕ СДЕЛКИ:", "Юлия Ли", "Іван Петренко", "снятие", "Ян"],
    "cp932": ["株式会社", "サンプル 太郎", "入金", "損益計:", "チケット番号 成立日時 取引種別",
              "出金", "残高"],
    "gb18030": ["账户: 张三", "修改后随机逆势马丁策略", "入金", "余额", "平仓交易", "王小明",
                "赵磊", "陈静", "上海"],
    "cp1252": ["José García", "Müller", "Société Générale", "Cuenta de demostración", "João",
               "© 2020 Foo", "Çelik", "Ørsted", "50 €", "Straße"],
}  # fmt: skip
CASES = [(codec, word) for codec, words in WORDS.items() for word in words]


@pytest.mark.parametrize(("codec", "word"), CASES)
def test_one_word_among_markup_settles_the_charset(codec: str, word: str) -> None:
    markup = f"<tr><td colspan=2><b>Account: 70001234</b></td><td><b>{word}</b></td></tr>\n"
    found = find_charset(markup.encode(codec))
    assert (found.name, found.how) == (codec, "guessed")
    assert markup.encode(codec).decode(found.codec) == markup


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("word", ["Statement", "损益", "Баланс"])
def test_utf16_is_seen_with_and_without_a_mark(codec: str, word: str) -> None:
    text = f"<html><td>2025.06.02 10:00:00</td><td>{word}</td></html>"
    found = find_charset(text.encode(codec))
    assert found.name == "utf-16"
    assert text.encode(codec).decode(found.codec) == text


def test_valid_utf8_needs_no_guess_even_when_cut_inside_a_character() -> None:
    data = "Название €".encode()
    assert find_charset(data).how == "valid"
    assert find_charset(data[:-1], whole=False).name == "utf-8"
    assert find_charset(data[:-1], whole=True).name != "utf-8"


def test_a_mark_comes_first_then_the_operator_then_the_declaration() -> None:
    declared = b'<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">\xc8'
    assert find_charset(b"\xef\xbb\xbfabc", told="cp1251").how == "bom"
    assert find_charset(declared).codec == "cp1251"
    assert find_charset(declared).how == "declared"
    assert find_charset(declared, told="cp932").how == "told"
    assert find_charset(declared, told="windows-1252").codec == "cp1252"


def test_a_declaration_that_does_not_fit_is_not_believed() -> None:
    found = find_charset(b'<meta charset="utf-8">' + "Иван Образцов".encode("cp1251"))
    assert (found.name, found.how) == ("cp1251", "guessed")


@pytest.mark.parametrize("told", ["klingon", "rot13", "zlib"])
def test_an_encoding_that_does_not_exist_is_refused(told: str) -> None:
    with pytest.raises(BadInput, match="is no encoding"):
        find_charset(b"abc", told=told)


def test_an_encoding_that_does_not_fit_is_refused() -> None:
    with pytest.raises(BadInput, match="not written in utf-8"):
        find_charset("Иван".encode("cp1251"), told="utf-8")
