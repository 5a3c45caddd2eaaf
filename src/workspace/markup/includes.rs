//! Owns the files that MJML includes: found before anything is laid out, so that none is missing, no file
//! includes itself, and nothing grows without bound.

use std::collections::HashMap;
use std::ops::Range;

use mrml::prelude::parser::memory_loader::MemoryIncludeLoader;

use super::elements::{too_deep, unknown};
use super::problem::MarkupProblem;
use super::veil::Veil;

/// All that one e-mail is laid out from, in bytes; what is included twice counts twice.
const LARGEST: usize = 1024 * 1024;
const INCLUDE: &str = "<mj-include";

/// Reads a file by the path that an include names.
pub(crate) type ReadFile<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;

/// The files that a text includes, by the path as it is written.
pub(crate) struct Includes<'a> {
    files: HashMap<String, (&'a str, Veil)>,
}

impl<'a> Includes<'a> {
    /// Those of a text, and those of theirs.
    pub(crate) fn of(source: &'a str, read: &ReadFile<'a>) -> Result<Self, MarkupProblem> {
        let mut includes = Self {
            files: HashMap::new(),
        };
        let mut whole = 0;
        includes.follow(source, read, &mut Vec::new(), &mut whole)?;
        Ok(includes)
    }

    fn follow(
        &mut self,
        source: &'a str,
        read: &ReadFile<'a>,
        within: &mut Vec<String>,
        whole: &mut usize,
    ) -> Result<(), MarkupProblem> {
        *whole += source.len();
        if *whole > LARGEST {
            let message = "the e-mail is laid out from more than 1 MiB";
            return Err(within_file(within, MarkupProblem::new(0..1, message)).help("include less"));
        }
        if let Some(range) = too_deep(source) {
            let message = "elements are nested more than 128 deep";
            return Err(within_file(within, MarkupProblem::new(range, message)).help("nest less"));
        }
        if let Some((range, meant)) = unknown(source) {
            let message = format!("there is no element `{}`", &source[range.clone()]);
            let problem = within_file(within, MarkupProblem::new(range, message));
            return Err(match meant {
                Some(meant) => problem.help(format!("did you mean `{meant}`?")),
                None => problem.help("see documentation.mjml.io"),
            });
        }
        for (path, range) in named(source) {
            if within.contains(&path) {
                let message = format!("`{path}` includes itself");
                return Err(within_file(within, MarkupProblem::new(range, message))
                    .help("break the circle"));
            }
            let Some(text) = read(&path) else {
                let message = format!("there is no file `{path}`");
                let help = "the path counts from the folder of the template, below `flows/`";
                return Err(within_file(within, MarkupProblem::new(range, message)).help(help));
            };
            within.push(path.clone());
            self.follow(text, read, within, whole)?;
            within.pop();
            let number = self.files.len() + 1;
            self.files
                .entry(path)
                .or_insert_with(|| (text, Veil::over(text, number)));
        }
        Ok(())
    }

    /// Each file once, with its path.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.files
            .iter()
            .map(|(path, (text, _))| (path.as_str(), *text))
    }

    pub(super) fn veils(&self) -> impl Iterator<Item = &Veil> {
        self.files.values().map(|(_, veil)| veil)
    }

    pub(super) fn veil(&self, path: &str) -> Option<&Veil> {
        self.files.get(path).map(|(_, veil)| veil)
    }

    pub(super) fn loader(&self) -> MemoryIncludeLoader {
        let texts = self.files.iter();
        let texts = texts.map(|(path, (_, veil))| (path.clone(), veil.text.clone()));
        MemoryIncludeLoader::from(texts.collect::<HashMap<_, _>>())
    }
}

fn within_file(within: &[String], problem: MarkupProblem) -> MarkupProblem {
    MarkupProblem {
        file: within.last().cloned(),
        ..problem
    }
}

/// The paths that a text includes, and where.
fn named(source: &str) -> Vec<(String, Range<usize>)> {
    let tags = source.match_indices(INCLUDE);
    let paths = tags.filter_map(|(start, _)| {
        let tag = &source[start..];
        let tag = &tag[..tag.find('>')?];
        let (before, value) = tag.split_once("path")?;
        let value = value.trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let path = value[1..].split(quote).next()?;
        let at = start + before.len() + tag[before.len()..].find(path)?;
        Some((path.to_owned(), at..at + path.len()))
    });
    paths.collect()
}
