//! What each source and each target keep, whichever they are: one suite, run for every pair. A pair that the
//! manual's matrix has no way for is refused, before anything is touched.

mod matrix;
mod pair;
mod sources;
mod targets;

use pair::{check, keeps_its_budget};
use sources::each_source;
use targets::{Mariadb, Postgresql};

/// A test for each source, with the target `$target`, and what does not depend on the source.
macro_rules! into {
    ($name:ident $target:ident: $($source:ident)*) => {
        mod $name {
            #[test]
            fn within_the_memory_it_is_given() {
                super::keeps_its_budget::<super::$target>();
            }

            $(
                #[test]
                fn $source() {
                    super::check::<super::$target>(super::sources::$source());
                }
            )*
        }
    };
}

each_source!(into postgresql Postgresql);
each_source!(into mariadb Mariadb);
