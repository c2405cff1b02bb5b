//! A parser of nginx's configuration language. It knows words, blocks and lines,
//! and no directive by name.

use std::iter::Peekable;
use std::str::Chars;

/// One directive: `name args… ;` or `name args… { block }`. The rows of a `map`
/// are directives too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) name: String,
    pub(super) args: Vec<String>,
    pub(super) block: Option<Vec<Directive>>,
    /// The line its name stands on.
    pub(super) line: usize,
}

/// Text that is no configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) line: usize,
    pub(super) what: String,
}

/// More than any configuration has; nothing that recurses runs out of stack.
const DEEPEST: usize = 32;

impl Directive {
    /// What is in its block; without one, nothing.
    pub(super) fn children(&self) -> &[Self] {
        self.block.as_deref().unwrap_or_default()
    }

    /// The directives of this name in its block.
    pub(super) fn named<'d>(&'d self, name: &'d str) -> impl Iterator<Item = &'d Self> {
        self.children().iter().filter(move |directive| directive.name == name)
    }

    /// An argument, empty where there is none.
    pub(super) fn arg(&self, n: usize) -> &str {
        self.args.get(n).map_or("", String::as_str)
    }

    /// Whether this is one of its arguments.
    pub(super) fn has(&self, arg: &str) -> bool {
        self.args.iter().any(|found| found == arg)
    }
}

/// Reads a whole file.
///
/// # Errors
/// The first line that cannot be read, in nginx's words.
pub(super) fn parse(text: &str) -> Result<Vec<Directive>, SyntaxError> {
    let mut lexer = Lexer { rest: text.chars().peekable(), line: 1 };
    // What was begun and is not closed: a directive, and what was there before its block.
    let mut open: Vec<(Directive, Vec<Directive>)> = Vec::new();
    let mut here = Vec::new();
    let mut begun: Option<Directive> = None;
    while let Some((line, token)) = lexer.token()? {
        let unexpected = |what: &str| SyntaxError { line, what: format!("unexpected \"{what}\"") };
        match (token, begun.take()) {
            (Token::Word(name), None) => {
                begun = Some(Directive { name, args: Vec::new(), block: None, line });
            }
            (Token::Word(word), Some(mut directive)) => {
                directive.args.push(word);
                begun = Some(directive);
            }
            (Token::End, Some(directive)) => here.push(directive),
            (Token::Open, Some(_)) if open.len() == DEEPEST => {
                let what = format!("blocks are nested deeper than {DEEPEST}");
                return Err(SyntaxError { line, what });
            }
            (Token::Open, Some(directive)) => open.push((directive, std::mem::take(&mut here))),
            (Token::Close, None) => {
                let (mut directive, before) = open.pop().ok_or_else(|| unexpected("}"))?;
                directive.block = Some(std::mem::replace(&mut here, before));
                here.push(directive);
            }
            (Token::End, None) => return Err(unexpected(";")),
            (Token::Open, None) => return Err(unexpected("{")),
            (Token::Close, Some(_)) => return Err(unexpected("}")),
        }
    }
    let expecting = match (begun, open.last()) {
        (Some(_), _) => "\";\" or \"{\"",
        (None, Some(_)) => "\"}\"",
        (None, None) => return Ok(here),
    };
    let what = format!("unexpected end of file, expecting {expecting}");
    Err(SyntaxError { line: lexer.line, what })
}

enum Token {
    Word(String),
    End,
    Open,
    Close,
}

struct Lexer<'t> {
    rest: Peekable<Chars<'t>>,
    line: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    /// The next token and the line on which it begins.
    fn token(&mut self) -> Result<Option<(usize, Token)>, SyntaxError> {
        loop {
            match self.rest.peek() {
                Some(c) if is_space(*c) => {
                    self.next();
                }
                Some('#') => while self.next().is_some_and(|c| c != '\n') {},
                _ => break,
            }
        }
        let line = self.line;
        let token = match self.rest.peek() {
            None => return Ok(None),
            Some(';') => Token::End,
            Some('{') => Token::Open,
            Some('}') => Token::Close,
            Some(&quote @ ('"' | '\'')) => {
                self.next();
                return self.quoted(quote).map(|word| Some((line, Token::Word(word))));
            }
            Some(_) => return Ok(Some((line, Token::Word(self.bare())))),
        };
        self.next();
        Ok(Some((line, token)))
    }

    /// A word without quotes: a `{` is part of it after a `$`, and a backslash
    /// makes any character part of it.
    fn bare(&mut self) -> String {
        let (mut word, mut after_dollar) = (String::new(), false);
        while let Some(&c) = self.rest.peek() {
            if is_space(c) || c == ';' || (c == '{' && !after_dollar) {
                break;
            }
            self.next();
            if c == '\\' {
                self.escaped(&mut word);
            } else {
                word.push(c);
            }
            after_dollar = c == '$' || (c == '{' && after_dollar);
        }
        word
    }

    /// The rest of a word in quotes.
    fn quoted(&mut self, quote: char) -> Result<String, SyntaxError> {
        let begun_on = self.line;
        let mut word = String::new();
        loop {
            match self.next() {
                None => {
                    let what = format!("a {quote} is not closed");
                    return Err(SyntaxError { line: begun_on, what });
                }
                Some('\\') => self.escaped(&mut word),
                Some(c) if c == quote => break,
                Some(c) => word.push(c),
            }
        }
        match self.rest.peek() {
            Some(&c) if !is_space(c) && !matches!(c, ';' | '{' | ')') => {
                Err(SyntaxError { line: self.line, what: format!("unexpected \"{c}\"") })
            }
            _ => Ok(word),
        }
    }

    /// What follows a backslash. It stays where it is part of a regular expression.
    fn escaped(&mut self, word: &mut String) {
        match self.next() {
            Some(c @ ('"' | '\'' | '\\')) => word.push(c),
            Some('t') => word.push('\t'),
            Some('r') => word.push('\r'),
            Some('n') => word.push('\n'),
            Some(c) => word.extend(['\\', c]),
            None => word.push('\\'),
        }
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

#[cfg(test)]
mod tests;
