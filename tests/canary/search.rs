//! Looks for marked texts in everything that was written anywhere, in each form in which a program might write a text.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use firstlight_tests::process::{Failed, Result};
use memchr::memmem;
use rusqlite::{Connection, OpenFlags, types::ValueRef};
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

/// A text to look for, and where it was planted.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    /// Where: "address".
    pub(crate) planted: &'static str,
    /// The text: lower-case letters and digits, found nowhere by accident.
    pub(crate) text: String,
}

impl Mark {
    /// What to write into a field: the text several times, so that one of them is whole wherever pages of a file end.
    pub(crate) fn content(&self) -> String {
        format!("{0} {0} {0}", self.text)
    }

    /// The byte strings that betray it, with names.
    fn forms(&self) -> Vec<(&'static str, Vec<u8>)> {
        let text = self.text.as_bytes();
        let wide = |unit: fn(u16) -> [u8; 2]| self.text.encode_utf16().flat_map(unit).collect();
        let hex = text.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let mut forms = vec![
            ("plain", text.to_vec()),
            ("upper case", self.text.to_uppercase().into_bytes()),
            ("UTF-16, little end first", wide(u16::to_le_bytes)),
            ("UTF-16, big end first", wide(u16::to_be_bytes)),
            ("hex", hex.to_uppercase().into_bytes()),
            ("hex", hex.into_bytes()),
        ];
        // Base64 depends on what stands before, by three possibilities. The characters that neighbours change are left
        // out; letters and digits are the same in the URL-safe alphabet.
        for before in 0..3 {
            let whole = STANDARD_NO_PAD.encode([&vec![b' '; before], text].concat());
            let (from, until) = ((before * 8).div_ceil(6), (before + text.len()) * 8 / 6);
            forms.push(("base64", whole.as_bytes()[from..until].to_vec()));
        }
        forms
    }
}

/// Something that was written, and its name.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Every file in a directory and below it. A database also value by value: in the file, a long value lies in pieces.
pub(crate) fn files(dir: &Path) -> Result<Vec<Written>> {
    let mut written = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path: PathBuf = entry?.path();
        if path.is_dir() {
            written.extend(files(&path)?);
        } else {
            written.push(file(&path)?);
            written.extend(values(&path)?);
        }
    }
    Ok(written)
}

/// One file.
pub(crate) fn file(path: &Path) -> Result<Written> {
    Ok(Written { name: path.display().to_string(), bytes: fs::read(path)? })
}

fn values(path: &Path) -> Result<Option<Written>> {
    if !fs::read(path)?.starts_with(b"SQLite format 3\0") {
        return Ok(None);
    }
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let tables: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<std::result::Result<_, _>>()?;
    let mut bytes = Vec::new();
    for table in tables {
        let mut rows = database.prepare(&format!("SELECT * FROM \"{table}\""))?;
        let columns = rows.column_count();
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                if let ValueRef::Text(value) | ValueRef::Blob(value) = row.get_ref(column)? {
                    bytes.extend_from_slice(value);
                    bytes.push(b'\n');
                }
            }
        }
    }
    Ok(Some(Written { name: format!("values of {}", path.display()), bytes }))
}

/// Where a mark is found, and in which form.
pub(crate) fn find(mark: &Mark, written: &[Written]) -> Vec<String> {
    let forms = mark.forms();
    let finders: Vec<_> = forms.iter().map(|(form, bytes)| (form, memmem::Finder::new(bytes))).collect();
    let mut found = Vec::new();
    for Written { name, bytes } in written {
        for (form, finder) in &finders {
            if let Some(at) = finder.find(bytes) {
                found.push(format!("{} ({form}) in {name} at byte {at}", mark.planted));
            }
        }
    }
    found
}

/// Fails if one of the marks is found anywhere.
pub(crate) fn none_of(marks: &[Mark], written: &[Written]) -> Result<()> {
    let found: Vec<String> = marks.iter().flat_map(|mark| find(mark, written)).collect();
    if found.is_empty() { Ok(()) } else { Err(leaked(&found)) }
}

fn leaked(found: &[String]) -> Failed {
    firstlight_tests::process::fail(format!("content was found where there must be none:\n{}", found.join("\n")))
}

#[test]
fn every_form_is_found() {
    let mark = Mark { planted: "test", text: "zq7mark0x51address".into() };
    for (form, bytes) in mark.forms() {
        let inside = Written { name: "file".into(), bytes: [b"ab".as_slice(), &bytes, b"yz"].concat() };
        assert!(!find(&mark, &[inside]).is_empty(), "{form}");
    }
    for before in ["", "a", "ab", "abc"] {
        let encoded = STANDARD_NO_PAD.encode(format!("{before}{} and more", mark.text));
        let inside = Written { name: "file".into(), bytes: encoded.into_bytes() };
        assert!(!find(&mark, &[inside]).is_empty(), "base64 after {before:?}");
    }
    let other = Written { name: "file".into(), bytes: b"zq7mark0x51addres".to_vec() };
    assert!(none_of(&[mark], &[other]).is_ok());
}

#[test]
fn a_value_that_lies_in_pieces_in_a_database_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let mark = Mark { planted: "test", text: "zq7mark0x51address".into() };
    let database = Connection::open(&path).unwrap();
    database.execute_batch("PRAGMA page_size = 512; CREATE TABLE t (a BLOB)").unwrap();
    let value = format!("{}{}", "x".repeat(20_000), mark.text);
    database.execute("INSERT INTO t VALUES (?1)", [value.as_bytes()]).unwrap();
    assert!(find(&mark, &files(dir.path()).unwrap()).iter().any(|place| place.contains("values of")));
}
