//! Dumps with so many rows that a plan which compares each with each takes minutes, and how long a step may take.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::scene::{fixture_database, mysqldump};

/// How many rows a large table has.
pub(crate) const MANY: usize = 100_000;

/// Makes the row with this number, as an INSERT writes it.
type Row = fn(usize) -> String;

/// A dump of GitLab CI's tables, of which those that tags, services and jobs are in have many rows: half of the tags are
/// GitLab's, too, and half of the taggings are of one tag.
pub(crate) fn many_of_ci() -> Vec<u8> {
    let dump = mysqldump(fixture_database(), &["--no-data"]);
    let mut dump = String::from_utf8(dump).unwrap();
    let row: [(&str, Row); 7] = [
        ("ci_tags", |n| format!("({n},'tag {n}',0)")),
        ("ci_taggings", |n| {
            let tag = if n % 2 == 0 { 1 } else { n };
            let context = if n % 5 == 0 {
                format!("c{}", n % 50)
            } else {
                "tags".to_owned()
            };
            format!("({n},{tag},{n},'Build',NULL,NULL,'{context}','2015-01-01 00:00:00')")
        }),
        ("ci_services", |n| {
            format!("({n},'SlackService',NULL,1,NULL,NULL,1,NULL)")
        }),
        ("ci_jobs", |n| {
            format!("({n},{n},'make',1,NULL,NULL,'job {n}',1,0,'parallel',NULL,NULL)")
        }),
        ("ci_projects", |n| {
            format!(
                "({n},'p',3600,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,{n},1,'',1,1,NULL,NULL,0,'a: b')"
            )
        }),
        ("ci_builds", |n| {
            format!(
                "({n},{n},'success',NULL,NULL,'2015-01-01 00:00:00',NULL,NULL,NULL,NULL,{n},'make',NULL,'b',0,NULL,0,'test',NULL)"
            )
        }),
        ("ci_commits", |n| {
            format!("({n},{n},'master','{n:040x}',NULL,NULL,NULL,NULL,0,NULL,NULL)")
        }),
    ];
    for (table, row) in row {
        let begin = dump.find(&format!("CREATE TABLE `{table}`")).unwrap();
        let end = begin + dump[begin..].find(";\n").unwrap() + 2;
        dump.insert_str(end, &inserts(table, "INSERT", MANY, row));
    }
    dump.into_bytes()
}

/// Statements that insert the rows 1 to `count`, a thousand by each.
pub(crate) fn inserts(
    table: &str,
    verb: &str,
    count: usize,
    row: impl Fn(usize) -> String,
) -> String {
    let mut sql = String::new();
    for first in (1..=count).step_by(1000) {
        let rows: Vec<String> = (first..(first + 1000).min(count + 1)).map(&row).collect();
        let _ = writeln!(sql, "{verb} INTO `{table}` VALUES {};", rows.join(","));
    }
    sql
}

/// Times steps, each of which may take a generous multiple of the time that the same server takes to copy as many rows. What
/// compares each row with each takes several times longer: PostgreSQL needs 350 to 700 s to join a hundred thousand rows in that
/// way where it copies them in half a second. The other tests may take the machine at any moment, so the limit is not much below.
pub(crate) struct Pace {
    limit: Duration,
}

impl Pace {
    /// `copy` copies [`MANY`] rows once.
    pub(crate) fn of(copy: impl FnOnce()) -> Pace {
        let started = Instant::now();
        copy();
        Pace {
            limit: Duration::from_secs(40) + 60 * started.elapsed(),
        }
    }

    /// Takes a step.
    #[track_caller]
    pub(crate) fn step<T>(&self, what: &str, step: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let done = step();
        let took = started.elapsed();
        println!("{what}: {took:?} of {:?}", self.limit);
        assert!(
            took < self.limit,
            "{what} took {took:?}, more than {:?}",
            self.limit
        );
        done
    }
}
