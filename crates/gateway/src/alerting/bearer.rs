//! The secret that a webhook's receiver asks for, out of a file.

use std::path::PathBuf;

/// Longest secret, in bytes.
const MAX_BYTES: u64 = 8 * 1024;

/// A file with a bearer token. It is read anew for each call, so that a new secret needs no start; it is in no log.
#[derive(Clone, Debug)]
pub(crate) struct BearerFile(PathBuf);

/// Why there is no secret to be had. What the file holds is not in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BearerError {
    #[error("the webhook's token {} cannot be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error(
        "the webhook's token {} must be one line of 1 to {MAX_BYTES} visible ASCII characters",
        path.display()
    )]
    Unfit { path: PathBuf },
}

impl BearerFile {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The value of the header `authorization`.
    ///
    /// # Errors
    /// [`BearerError`] where the file cannot be read, or holds no token.
    pub(crate) fn header(&self) -> Result<String, BearerError> {
        let Self(path) = self;
        let unreadable = |error| BearerError::Unreadable { path: path.clone(), error };
        let unfit = || BearerError::Unfit { path: path.clone() };
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_BYTES {
            return Err(unfit());
        }
        let text = std::fs::read(path).map_err(unreadable)?;
        let token = text.trim_ascii();
        let token = std::str::from_utf8(token).ok().filter(|token| !token.is_empty());
        let token = token.filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic())).ok_or_else(unfit)?;
        Ok(format!("Bearer {token}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_line_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let file = BearerFile::new(path.clone());
        assert!(file.header().unwrap_err().to_string().contains("cannot be read"));
        for (held, expected) in [
            ("s3cret/+=\n", Some("Bearer s3cret/+=")),
            ("  s3cret  ", Some("Bearer s3cret")),
            ("", None),
            (" \n", None),
        ] {
            std::fs::write(&path, held).unwrap();
            assert_eq!(file.header().ok().as_deref(), expected, "{held:?}");
        }
        for wrong in ["two words".to_owned(), "two\r\nx-lines: 1".to_owned(), "é".to_owned(), "x".repeat(8_193)] {
            std::fs::write(&path, &wrong).unwrap();
            let error = file.header().unwrap_err().to_string();
            assert!(error.contains("one line of 1 to 8192") && !error.contains(&wrong), "{error}");
        }
    }
}
