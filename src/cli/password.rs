//! Passwords in URLs of databases, which nobody else is shown.

/// `url` without its password. None if it may have one where it cannot be told from the rest.
#[must_use]
pub fn without_password(url: &str) -> Option<String> {
    if url.to_ascii_lowercase().contains("password") {
        return None;
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return Some(url.to_owned());
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        // It may be a part of the password.
        _ if path.contains('@') => None,
        None => Some(url.to_owned()),
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            Some(format!("{scheme}://{user}@{host}{path}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_left() {
        for (url, expected) in [
            ("postgresql://app@db/shop", Some("postgresql://app@db/shop")),
            (
                "postgresql://app:s@db:1/shop",
                Some("postgresql://app@db:1/shop"),
            ),
            (
                "mysql://a:s:@@[::1]/s?ssl-mode=x",
                Some("mysql://a@[::1]/s?ssl-mode=x"),
            ),
            ("postgresql://db/s?password=s", None),
            ("host=db PASSWORD=s", None),
            ("host=db dbname=s", Some("host=db dbname=s")),
            ("postgresql://a:s/x@db/s", None),
        ] {
            assert_eq!(without_password(url).as_deref(), expected, "{url}");
        }
    }
}
