//! Credentials that a program of the user prints (AWS SDKs and Tools reference guide, "Process credential provider").

use std::fmt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use serde::Deserialize;

use crate::error::{Error, Result};

/// Credentials are asked for again before they expire.
const BEFORE_THE_END: SignedDuration = SignedDuration::from_mins(5);

/// What the program prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<String>,
}

/// The program may take so long: it may ask somebody for a code.
const MOST_TIME: Duration = Duration::from_secs(60);

/// Runs the program when credentials are needed.
#[derive(Clone)]
pub(super) struct ProcessCredentials(Arc<Process>);

/// The program, and what it printed last.
struct Process {
    words: Vec<String>,
    profile: String,
    last: Mutex<Option<Known>>,
}

struct Known {
    credential: Arc<AwsCredential>,
    until: Option<Timestamp>,
}

impl ProcessCredentials {
    /// Of the `command` in `profile`.
    pub(super) fn of(command: &str, profile: &str) -> Result<ProcessCredentials> {
        let words = words(command)
            .filter(|words| !words.is_empty())
            .ok_or_else(|| {
                Error::usage(format!(
                    "the credential_process of {profile} is not a command"
                ))
            })?;
        Ok(ProcessCredentials(Arc::new(Process {
            words,
            profile: profile.to_owned(),
            last: Mutex::new(None),
        })))
    }
}

impl Process {
    fn credential(&self) -> Result<Arc<AwsCredential>> {
        // Several requests begin at once; the program is run once.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_good = |known: &&Known| {
            known
                .until
                .is_none_or(|until| Timestamp::now() + BEFORE_THE_END < until)
        };
        if let Some(known) = last.as_ref().filter(is_good) {
            return Ok(Arc::clone(&known.credential));
        }
        let printed = self.run()?;
        let until = match printed.expiration.as_deref().map(str::parse) {
            None => None,
            Some(Ok(until)) => Some(until),
            Some(Err(_)) => return Err(self.failed("printed an Expiration that is no time")),
        };
        let credential = Arc::new(AwsCredential {
            key_id: printed.access_key_id,
            secret_key: printed.secret_access_key,
            token: printed.session_token,
        });
        *last = Some(Known {
            credential: Arc::clone(&credential),
            until,
        });
        Ok(credential)
    }

    fn failed(&self, what: &str) -> Error {
        let program = &self.words[0];
        Error::usage(format!(
            "the credential_process of {} failed: {program} {what}",
            self.profile
        ))
    }

    fn run(&self) -> Result<Printed> {
        let mut child = Command::new(&self.words[0])
            .args(&self.words[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|cause| self.failed(&format!("cannot be run: {cause}")))?;
        let begun = Instant::now();
        let waited = |cause| self.failed(&format!("cannot be waited for: {cause}"));
        while child.try_wait().map_err(waited)?.is_none() {
            if begun.elapsed() > MOST_TIME {
                let _ = child.kill();
                let _ = child.wait();
                return Err(self.failed("does not end"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let done = child.wait_with_output().map_err(waited)?;
        if !done.status.success() {
            return Err(self.failed(&format!("ended with {}", done.status)));
        }
        // What it printed is secret, and so is what is wrong with it.
        let printed: Printed = serde_json::from_slice(&done.stdout)
            .map_err(|_| self.failed("printed no credentials in JSON"))?;
        if printed.version != 1 {
            return Err(self.failed(&format!("printed version {}, not 1", printed.version)));
        }
        Ok(printed)
    }
}

impl fmt::Debug for ProcessCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the credential_process of {}", self.0.profile)
    }
}

#[async_trait]
impl CredentialProvider for ProcessCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        // The thread of the requests must not wait for it.
        let process = Arc::clone(&self.0);
        let asked = tokio::task::spawn_blocking(move || process.credential()).await;
        let asked = asked.map_err(|_| Error::failed("the thread of a credential_process crashed"));
        asked
            .and_then(|credential| credential)
            .map_err(|error| object_store::Error::Generic {
                store: "S3",
                source: Box::new(error),
            })
    }
}

/// The words of a command as a shell splits them: by white space, with quotes and backslashes. None if a quote does not
/// end.
fn words(command: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = command.chars();
    while let Some(character) = characters.next() {
        match character {
            quote @ ('"' | '\'') => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        end if end == quote => break,
                        '\\' if quote == '"' => word.push(characters.next()?),
                        other => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            space if space.is_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_split_as_a_shell_does() {
        for (command, expected) in [
            ("a  b", Some(vec!["a", "b"])),
            (
                "'a b' \"c \\\"d\" e\\ f ''",
                Some(vec!["a b", "c \"d", "e f", ""]),
            ),
            ("x\"y\"z", Some(vec!["xyz"])),
            ("", Some(vec![])),
            ("a 'b", None),
        ] {
            let split = words(command);
            let split = split
                .as_ref()
                .map(|words| words.iter().map(String::as_str).collect());
            assert_eq!(split, expected, "{command}");
        }
    }

    fn of(script: &str) -> Result<Arc<AwsCredential>> {
        ProcessCredentials::of(&format!("sh -c '{script}'"), "p")?
            .0
            .credential()
    }

    #[test]
    fn programs_print_credentials() {
        let good = of(r#"echo "{\"Version\":1,\"AccessKeyId\":\"i\",\"SecretAccessKey\":\"s\"}""#);
        let good = good.unwrap();
        assert_eq!((good.key_id.as_str(), good.secret_key.as_str()), ("i", "s"));
        for (script, expected) in [
            ("exit 3", "ended with exit status: 3"),
            ("echo secret", "printed no credentials in JSON"),
            (
                r#"echo "{\"Version\":2,\"AccessKeyId\":\"i\",\"SecretAccessKey\":\"s\"}""#,
                "printed version 2, not 1",
            ),
        ] {
            let error = of(script).unwrap_err();
            assert!(error.to_string().ends_with(expected), "{error}");
        }
        let missing = ProcessCredentials::of("/does/not/exist", "p").unwrap();
        assert!(missing.0.credential().is_err());
        assert!(ProcessCredentials::of("", "p").is_err());
    }

    #[test]
    fn credentials_that_are_good_are_not_asked_for_again() {
        let folder = tempfile::tempdir().unwrap();
        let count = folder.path().join("count");
        for (until, runs) in [("2999-01-01T00:00:00Z", 1), ("2001-01-01T00:00:00Z", 3)] {
            let script = format!(
                r#"echo x >> {}; echo "{{\"Version\":1,\"AccessKeyId\":\"i\",\"SecretAccessKey\":\"s\",\"Expiration\":\"{until}\"}}""#,
                count.display()
            );
            let process = ProcessCredentials::of(&format!("sh -c '{script}'"), "p").unwrap();
            for _ in 0..3 {
                process.0.credential().unwrap();
            }
            assert_eq!(
                std::fs::read_to_string(&count).unwrap().lines().count(),
                runs
            );
            std::fs::remove_file(&count).unwrap();
        }
    }
}
