//! The README says what is true: its options are those of the help, its exit codes those of the
//! program, and the commands in it run.
