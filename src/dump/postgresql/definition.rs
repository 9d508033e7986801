//! The definitions in a PostgreSQL dump: tables, sequences, indexes.

/// The name of a type as it is written, in lower case, and its modifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeName {
    /// `character varying`, `timestamp without time zone`, `public.hstore`, …
    pub name: String,
    /// The last part of its name without quotes, to compare it with the types that the dump creates.
    pub own_name: String,
    /// `(10,2)`
    pub modifiers: Vec<u64>,
    /// Whether it is an array of that.
    pub is_array: bool,
}

/// Something that a dump defines; names come without their schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Definition {
    /// A table.
    Table(TableDefinition),
    /// A sequence.
    Sequence(SequenceDefinition),
    /// A sequence gets another name, as `convert` writes it.
    RenamedSequence {
        /// Its name so far.
        from: String,
        /// Its new name.
        to: String,
    },
    /// The type of an enum.
    EnumType {
        /// Its name.
        name: String,
        /// Its values, in order.
        values: Vec<String>,
    },
    /// The default of a column, set later.
    Default {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its default.
        default: DefaultValue,
    },
    /// A column loses its default.
    NoDefault {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A column may be NULL.
    Nullable {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A table is dropped, though nothing says "if it exists".
    Dropped {
        /// The table.
        table: String,
    },
    /// The type of a column changes between its rows, as `convert` writes it.
    ChangedType {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The new type, without its modifiers: `smallint`.
        data_type: String,
    },
    /// NOT NULL, set later.
    NotNull {
        /// The table.
        table: String,
        /// The columns.
        columns: Vec<String>,
    },
    /// A column becomes an identity, with a sequence of its own.
    Identity {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its sequence.
        sequence: SequenceDefinition,
    },
    /// A key or another constraint, added later.
    Constraint {
        /// The table.
        table: String,
        /// The constraint.
        constraint: Constraint,
    },
    /// An index.
    Index(IndexDefinition),
    /// A trigger that sets columns to the current time if an UPDATE changes others.
    UpdateTrigger {
        /// Its name.
        name: String,
        /// The table.
        table: String,
        /// What it sets.
        columns: SetColumns,
    },
    /// The value of a sequence.
    SetValue {
        /// The sequence.
        sequence: String,
        /// The value it gives next.
        next: u64,
    },
    /// A comment on a table or its column.
    Comment {
        /// The table.
        table: String,
        /// The column, if it is on one.
        column: Option<String>,
        /// The comment.
        text: String,
    },
    /// A comment on an index.
    IndexComment {
        /// The index.
        index: String,
        /// The comment.
        text: String,
    },
}

/// Columns that a trigger sets, and the current time of each, as SQL from a fixed list.
pub type SetColumns = Vec<(String, &'static str)>;

/// A trigger of a table, and the function that it calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trigger {
    pub(super) name: String,
    pub(super) table: String,
    pub(super) function: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<ColumnDefinition>,
    /// Its constraints.
    pub constraints: Vec<Constraint>,
    /// What a plain table does not have: it inherits, or has partitions.
    pub unusual: Option<&'static str>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDefinition {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: TypeName,
    /// Whether it is NOT NULL.
    pub not_null: bool,
    /// Its default.
    pub default: Option<DefaultValue>,
    /// Whether it has a collation of its own.
    pub is_collated: bool,
    /// How it is computed, if it is a generated column.
    pub generated: Option<Generated>,
    /// Whether its type is `serial` or one like it: an integer with a sequence of its own.
    pub is_serial: bool,
}

/// How a column is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Generated {
    /// By this expression, when a row is written.
    Stored(Expression),
    /// In any other way.
    Other,
}

/// An expression of which each word is known: it only names columns and computes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression(pub Vec<ExpressionPiece>);

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpressionPiece {
    /// The name of a column.
    Column(String),
    /// A string.
    Text(String),
    /// A number without sign.
    Number(String),
    /// A cast to this type.
    Cast(TypeName),
    /// A keyword, an operator, a parenthesis or the name of a function, from a fixed list.
    Sql(&'static str),
}

/// A default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultValue {
    /// A constant, and the type it is cast to.
    Literal(Literal, Option<TypeName>),
    /// The time of the transaction, or the day, as SQL from a fixed list.
    Moment(&'static str),
    /// The next value of a sequence.
    NextValue(String),
    /// Any other expression.
    Other,
}

/// A constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// A string.
    Text(String),
    /// A number, with its sign.
    Number(String),
    /// A bit string, by its digits.
    Bits(String),
    /// `true` or `false`
    Boolean(bool),
    /// `NULL`
    Null,
}

/// A sequence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SequenceDefinition {
    /// Its name.
    pub name: String,
    /// Its increment, if it is not 1.
    pub increment: Option<String>,
}

/// A constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// Its name.
    pub name: String,
    /// What it says.
    pub kind: ConstraintKind,
    /// Whether it has attributes that are not understood: it is deferrable, has more columns, …
    pub has_more: bool,
}

/// What a constraint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConstraintKind {
    /// A primary key over these columns.
    PrimaryKey(Vec<String>),
    /// These columns are unique together.
    Unique(Vec<String>),
    /// A foreign key.
    ForeignKey {
        /// The columns of this table.
        columns: Vec<String>,
        /// The referenced table.
        references: String,
        /// The referenced columns.
        referenced_columns: Vec<String>,
        /// The action when the referenced row is deleted.
        on_delete: Option<&'static str>,
        /// The action when the referenced key changes.
        on_update: Option<&'static str>,
    },
    /// A CHECK.
    Check(Expression),
    /// Anything else, called as it is in SQL.
    Other(&'static str),
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexDefinition {
    /// Its name.
    pub name: String,
    /// The table.
    pub table: String,
    /// Whether it is unique.
    pub is_unique: bool,
    /// How it finds rows.
    pub method: IndexMethod,
    /// Its parts, or why it is not understood.
    pub parts: Result<Vec<IndexPart>, &'static str>,
}

/// How an index finds rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexMethod {
    /// By their order.
    Btree,
    /// By the words in them.
    Gin,
}

/// A part of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPart {
    /// What is indexed.
    pub of: Expression,
    /// Its operator class, if it is not the default one.
    pub operator_class: Option<&'static str>,
    /// Whether it is in descending order.
    pub descending: bool,
    /// Whether NULLs come first, if that is not the default.
    pub nulls_first: Option<bool>,
}
