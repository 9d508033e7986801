//! What to write where, so that GitLab has the key of GitLab CI.

use super::key::Key;
use super::ruby;

/// The steps for GitLab from source and for Omnibus, with the key.
#[must_use]
pub fn instructions(key: &Key) -> String {
    let key = key.expose();
    // A string of JSON is one of YAML, too.
    let (yaml, ruby) = (serde_json::Value::from(key).to_string(), ruby::quoted(key));
    let warning = if is_plain(key) {
        ""
    } else {
        "\n\
         Warning: Omnibus 8.0 writes the key without quotes into its secrets.yml, and YAML may read this key as another\n\
         value. The check below says whether GitLab has the right key.\n"
    };
    format!(
        "GitLab from source\n\
         ------------------\n\
         Set this in /home/git/gitlab/config/secrets.yml, in the place of the key there:\n\n\
         production:\n  db_key_base: {yaml}\n\n\
         Keep the file readable for GitLab's user only, and restart GitLab:\n\n  \
         sudo chown git:git /home/git/gitlab/config/secrets.yml\n  \
         sudo chmod 0600 /home/git/gitlab/config/secrets.yml\n  \
         sudo service gitlab restart\n\n\
         GitLab from an Omnibus package\n\
         ------------------------------\n\
         Add this line to /etc/gitlab/gitlab.rb, then run sudo gitlab-ctl reconfigure:\n\n\
         gitlab_ci['db_key_base'] = {ruby}\n\n\
         The name is gitlab_ci, not gitlab_rails: show_secrets of GitLab CI prints gitlab_rails['db_key_base'], but\n\
         Omnibus 8.0 replaces that by gitlab_ci's, which it generates if gitlab.rb does not set it. If GitLab CI and\n\
         GitLab were on the same server, GitLab has the key already.\n\
         {warning}\n\
         Check\n\
         -----\n\
         After the import, check that GitLab has the right key:\n\n  \
         ci-import secrets check --database-yml /home/git/gitlab/config/database.yml \\\n    \
         --secrets /home/git/gitlab/config/secrets.yml\n\n\
         With Omnibus, the files are database.yml and secrets.yml in /var/opt/gitlab/gitlab-rails/etc.\n"
    )
}

/// Whether YAML reads `key` as this string if it has no quotes, whatever the version of YAML: not as a number, a boolean
/// or a time.
fn is_plain(key: &str) -> bool {
    let is_alphanumeric = key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    // Letters of numbers are a to f, o and x; words for booleans and null have at most five letters.
    let letters = key.bytes().filter(u8::is_ascii_alphabetic).count();
    is_alphanumeric && key.len() > 8 && letters > 1 && !key.starts_with("0x")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_need_quotes_in_yaml() {
        for (key, is_safe) in [
            ("0123456789abcdef", true),
            ("12e34ab5678", true),
            ("1234567890", false),
            ("12345678e90", false),
            ("0x12345abcdef", false),
            ("true", false),
            ("a secret: yes", false),
            ("abcdefghi#jk", false),
            ("éééééééééé", false),
        ] {
            assert_eq!(is_plain(key), is_safe, "{key}");
        }
    }
}
