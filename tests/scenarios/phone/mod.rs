//! Officers without an app, and answers by telephone.

mod intake;
