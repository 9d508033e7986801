//! libpq's parameters (PostgreSQL manual, 34.1.2): which exist, and how each is handled.

use crate::server::options::Known;
use crate::server::options::Use::{self, Harmless, Only, Taken};

/// The parameters.
pub(crate) static KNOWN: Known = Known {
    parameters: &PARAMETERS,
    manual: "PostgreSQL manual, 34.1.2: sslmode=verify-full",
};

const PARAMETERS: [(&str, Option<&str>, Use); 45] = [
    ("host", Some("PGHOST"), Taken),
    ("hostaddr", Some("PGHOSTADDR"), Taken),
    ("port", Some("PGPORT"), Taken),
    ("dbname", Some("PGDATABASE"), Taken),
    ("user", Some("PGUSER"), Taken),
    ("password", Some("PGPASSWORD"), Taken),
    ("passfile", Some("PGPASSFILE"), Taken),
    ("service", Some("PGSERVICE"), Taken),
    ("options", Some("PGOPTIONS"), Taken),
    ("connect_timeout", Some("PGCONNECT_TIMEOUT"), Taken),
    ("sslmode", Some("PGSSLMODE"), Taken),
    ("sslrootcert", Some("PGSSLROOTCERT"), Taken),
    ("sslcert", Some("PGSSLCERT"), Taken),
    ("sslkey", Some("PGSSLKEY"), Taken),
    ("sslnegotiation", Some("PGSSLNEGOTIATION"), Taken),
    ("sslsni", Some("PGSSLSNI"), Taken),
    ("channel_binding", Some("PGCHANNELBINDING"), Taken),
    ("target_session_attrs", Some("PGTARGETSESSIONATTRS"), Taken),
    ("keepalives", None, Taken),
    ("keepalives_idle", None, Taken),
    ("keepalives_interval", None, Taken),
    ("keepalives_count", None, Taken),
    ("tcp_user_timeout", None, Taken),
    ("application_name", Some("PGAPPNAME"), Harmless),
    ("fallback_application_name", None, Harmless),
    ("client_encoding", Some("PGCLIENTENCODING"), Harmless),
    ("datestyle", Some("PGDATESTYLE"), Harmless),
    ("timezone", Some("PGTZ"), Harmless),
    ("sslcompression", Some("PGSSLCOMPRESSION"), Harmless),
    ("krbsrvname", Some("PGKRBSRVNAME"), Harmless),
    ("gsslib", Some("PGGSSLIB"), Harmless),
    ("gssdelegation", Some("PGGSSDELEGATION"), Only(&["0"])),
    (
        "gssencmode",
        Some("PGGSSENCMODE"),
        Only(&["disable", "prefer"]),
    ),
    ("requiressl", Some("PGREQUIRESSL"), Only(&["0"])),
    ("requirepeer", Some("PGREQUIREPEER"), Only(&[])),
    ("require_auth", Some("PGREQUIREAUTH"), Taken),
    (
        "ssl_min_protocol_version",
        Some("PGSSLMINPROTOCOLVERSION"),
        Only(&["TLSv1", "TLSv1.1", "TLSv1.2"]),
    ),
    (
        "ssl_max_protocol_version",
        Some("PGSSLMAXPROTOCOLVERSION"),
        Only(&["TLSv1.3"]),
    ),
    ("sslpassword", None, Only(&[])),
    ("sslcertmode", Some("PGSSLCERTMODE"), Only(&["allow"])),
    ("sslcrl", Some("PGSSLCRL"), Only(&[])),
    ("sslcrldir", Some("PGSSLCRLDIR"), Only(&[])),
    (
        "load_balance_hosts",
        Some("PGLOADBALANCEHOSTS"),
        Only(&["disable"]),
    ),
    ("replication", None, Only(&["false", "off", "no", "0"])),
    (
        "min_protocol_version",
        Some("PGMINPROTOCOLVERSION"),
        Only(&["3.0"]),
    ),
];
