//! PostgreSQL's configuration: its file, and what its command sets.

use std::path::{Path, PathBuf};

use super::{
    files::{Unreadable, read_file},
    finding::Place,
    service::Service,
    stack_file::Stack,
};

/// The configuration of a stack's PostgreSQL.
#[derive(Debug)]
pub(super) struct Postgres {
    /// The service's name.
    pub(super) service: String,
    /// In the order in which they count, the last one most.
    settings: Vec<Setting>,
    files: Vec<PathBuf>,
}

#[derive(Debug)]
struct Setting {
    key: String,
    value: String,
    place: Place,
}

impl Postgres {
    /// Reads what belongs to the stack's PostgreSQL, if it has one.
    pub(super) fn read(stack: &Stack) -> Result<Option<Self>, Unreadable> {
        let Some(service) = stack.services.iter().find(|service| is_postgres(service)) else {
            return Ok(None);
        };
        let mut files = stack.config_files(service);
        files.retain(|file| file.file_name().is_some_and(|name| name == "postgresql.conf"));
        files.retain(|file| file.is_file());
        let mut settings = Vec::new();
        for file in &files {
            settings.extend(parse(file, &read_file(file)?));
        }
        // `-c key=value` counts more than the file.
        let words = service.words_of("command");
        let told = words.iter().zip(words.iter().skip(1)).filter(|(flag, _)| **flag == "-c");
        settings.extend(told.filter_map(|(_, setting)| {
            let (key, value) = setting.split_once('=')?;
            let place = service.place_at(&["command"]);
            Some(Setting { key: key.to_owned(), value: value.to_owned(), place })
        }));
        Ok(Some(Self { service: service.name.clone(), settings, files }))
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(PathBuf::as_path)
    }

    /// A setting, and where it stands.
    pub(super) fn setting(&self, key: &str) -> Option<(&str, &Place)> {
        let setting = self.settings.iter().rfind(|setting| setting.key == key)?;
        Some((&setting.value, &setting.place))
    }
}

pub(super) fn is_postgres(service: &Service) -> bool {
    service.runs("postgres")
}

/// `key = value`, of which the sign may be left out, and what follows a `#`.
fn parse(file: &Path, text: &str) -> Vec<Setting> {
    let lines = text.lines().enumerate().filter_map(|(i, line)| {
        let line = line.split('#').next()?.trim();
        let (key, value) = line.split_once(['=', ' ', '\t'])?;
        let value = value.trim().trim_start_matches('=').trim().trim_matches('\'');
        let place = Place { service: None, file: file.to_owned(), line: Some(i + 1) };
        Some(Setting { key: key.trim().to_ascii_lowercase(), value: value.to_owned(), place })
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_read_however_it_is_written() {
        let text = "# max_connections = 1\nmax_connections = 250 # many\nshared_buffers '1GB'\nport=5432\n\nalone\n";
        let settings = parse(Path::new("a.conf"), text);
        let found: Vec<_> = settings.iter().map(|s| (&*s.key, &*s.value, s.place.line)).collect();
        let expected = [
            ("max_connections", "250", Some(2)),
            ("shared_buffers", "1GB", Some(3)),
            ("port", "5432", Some(4)),
        ];
        assert_eq!(found, expected);
    }
}
