//! Engines that run many imports.

mod slurm;
