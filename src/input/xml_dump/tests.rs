//! The SQL of small dumps in XML, wherever they are cut.

use std::io::{self, BufReader, Read};

use super::AsSql;
use super::stream::XmlStream;

const HEAD: &str = "<?xml version=\"1.0\"?>\n<mysqldump xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n";

fn sql(xml: &str, block: usize) -> io::Result<String> {
    let mut sql = String::new();
    XmlStream::of(BufReader::with_capacity(block, xml.as_bytes())).read_to_string(&mut sql)?;
    Ok(sql)
}

/// The SQL of `elements` of a database, without what is in each.
#[track_caller]
fn is(elements: &str, expected: &str) {
    let xml = format!("{HEAD}<database name=\"d\">\n{elements}\n</database>\n</mysqldump>\n");
    let expected = format!(
        "-- MySQL dump in XML, by mysqldump\nSET NAMES utf8mb4;\nSET time_zone = '+00:00';\nUSE `d`;\n{expected}-- Dump completed\n"
    );
    for block in 1..=xml.len() {
        assert_eq!(sql(&xml, block).unwrap(), expected, "{block}");
    }
}

#[test]
fn rows() {
    is(
        "<table_data name=\"t`\">\n\t<row>\n\t\t<field name=\"a\">it's \\ &lt;\r\n</field>\n\t\t<field name=\"b\" xsi:nil=\"true\" />\n\
         \t</row>\n<row><field name=\"a\"></field><field name=\"b\" xsi:type=\"xs:hexBinary\">00fF</field></row></table_data>\
         <table_data name=\"u\">\n</table_data>",
        "INSERT INTO `t``` VALUES ('it''s \\\\ <\r\n',NULL),('',x'00fF');\n",
    );
}

fn field(rest: &str) -> String {
    format!("<field Field=\"c\" {rest} Comment=\"\" />")
}

fn table(field: &str, rest: &str) -> String {
    format!(
        "<table_structure name=\"t\">{field}<options Name=\"t\" Engine=\"InnoDB\" {rest} /></table_structure>"
    )
}

/// Defaults are texts in MySQL, but for expressions and numbers of bits; in MariaDB they are SQL.
#[test]
fn definitions() {
    for (of_field, of_table, column) in [
        (
            "Type=\"int\" Null=\"NO\" Extra=\"auto_increment\"",
            "",
            "int NOT NULL AUTO_INCREMENT",
        ),
        (
            "Type=\"varchar(9)\" Null=\"YES\" Default=\"NULL\" Extra=\"\"",
            "",
            "varchar(9) DEFAULT 'NULL'",
        ),
        (
            "Type=\"varchar(9)\" Null=\"YES\" Default=\"NULL\" Extra=\"\"",
            "Temporary=\"N\"",
            "varchar(9) DEFAULT NULL",
        ),
        (
            "Type=\"int(11)\" Null=\"YES\" Default=\"NULL\" Extra=\"\"",
            "",
            "int(11) DEFAULT NULL",
        ),
        (
            "Type=\"varchar(9)\" Null=\"NO\" Default=\"\" Extra=\"\"",
            "",
            "varchar(9) NOT NULL DEFAULT ''",
        ),
        (
            "Type=\"text\" Null=\"YES\" Default=\"_utf8mb4\\'it\\\\\\'s\\'\" Extra=\"DEFAULT_GENERATED\"",
            "",
            "text DEFAULT (_utf8mb4'it\\'s')",
        ),
        (
            "Type=\"datetime(6)\" Null=\"YES\" Default=\"CURRENT_TIMESTAMP(6)\" Extra=\"DEFAULT_GENERATED on update CURRENT_TIMESTAMP(6)\"",
            "",
            "datetime(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE current_timestamp(6)",
        ),
        (
            "Type=\"timestamp\" Null=\"YES\" Default=\"CURRENT_TIMESTAMP\" Extra=\"\"",
            "",
            "timestamp NULL DEFAULT CURRENT_TIMESTAMP",
        ),
        (
            "Type=\"varchar(40)\" Null=\"YES\" Default=\"CURRENT_TIMESTAMP\" Extra=\"\"",
            "",
            "varchar(40) DEFAULT 'CURRENT_TIMESTAMP'",
        ),
        (
            "Type=\"bit(3)\" Null=\"YES\" Default=\"b'101'\" Extra=\"INVISIBLE\"",
            "",
            "bit(3) DEFAULT b'101' INVISIBLE",
        ),
        (
            "Type=\"binary(3)\" Null=\"YES\" Default=\"0x61\" Extra=\"\"",
            "",
            "binary(3) DEFAULT 0x61",
        ),
        (
            "Type=\"varchar(9)\" Null=\"YES\" Default=\"'x'\" Extra=\"\"",
            "Temporary=\"N\"",
            "varchar(9) DEFAULT 'x'",
        ),
    ] {
        is(
            &table(&field(of_field), of_table),
            &format!(
                "CREATE TABLE `t` (\n`c` {column}\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n"
            ),
        );
    }
}

#[test]
fn keys_and_views() {
    is(
        &table(
            &(field("Type=\"int\" Null=\"YES\" Extra=\"STORED GENERATED\"")
                + "<key Table=\"t\" Non_unique=\"0\" Key_name=\"PRIMARY\" Seq_in_index=\"1\" Column_name=\"c\" Collation=\"A\" Index_type=\"BTREE\" />\
                   <key Table=\"t\" Non_unique=\"0\" Key_name=\"u\" Seq_in_index=\"1\" Column_name=\"c\" Collation=\"D\" Sub_part=\"5\" Index_type=\"BTREE\" Visible=\"NO\" />\
                   <key Table=\"t\" Non_unique=\"0\" Key_name=\"u\" Seq_in_index=\"2\" Index_type=\"BTREE\" Expression=\"lower(`c`)\" Visible=\"NO\" />\
                   <key Table=\"t\" Non_unique=\"1\" Key_name=\"gone\" Seq_in_index=\"1\" Column_name=\"d\" Index_type=\"FULLTEXT\" />"),
            "Auto_increment=\"42\" Collation=\"utf8mb3_bin\" Comment=\"it's\"",
        ),
        "CREATE TABLE `t` (\n`c` int,\nPRIMARY KEY (`c`),\nUNIQUE KEY `u` (`c`(5) DESC,(lower(`c`))) INVISIBLE\n\
         ) ENGINE=InnoDB AUTO_INCREMENT=42 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='it''s';\n\
         -- ci-import: not in the XML: [\"t\",\"c\",\"a plain column instead of a generated one: XML does not have the expression\"]\n\
         -- ci-import: not in the XML: [\"t\",\"gone\",\"the index was left out: XML does not have its column d, a generated one\"]\n",
    );
    is(
        "<table_structure name=\"v\"><field Field=\"c\" Type=\"int\" /><options Name=\"v\" Create_time=\"x\" Comment=\"VIEW\" /></table_structure>",
        "CREATE VIEW `v` AS SELECT 1;\n",
    );
}

/// Programs of MySQL put SQL between the elements.
#[test]
fn text_between_elements() {
    is(
        "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '';\n<triggers name=\"t\"><trigger Trigger=\"r\">\n<![CDATA[\nCREATE; <\n]]>\n</trigger></triggers>",
        "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '';\nCREATE TRIGGER `r` BEFORE INSERT ON t FOR EACH ROW SET @x = 1;\n",
    );
}

#[test]
fn what_is_no_dump_of_mysqldump_is_left_as_it_is() {
    for text in ["", "-- MySQL dump", "<?xml version=\"1.0\"?><resultset/>"] {
        let mut found = String::new();
        AsSql::of(text.as_bytes())
            .read_to_string(&mut found)
            .unwrap();
        assert_eq!(found, text);
    }
}

#[test]
fn errors() {
    for (elements, says) in [
        (
            "<a>",
            "it has an element that mysqldump does not write there",
        ),
        (
            "<table_data name=\"t\"><row></table_data>",
            "its elements do not end in their order: the rows of t",
        ),
        (
            "<table_data name=\"t\"><row></row></table_data>",
            "a row has other columns",
        ),
        (
            "<table_data name=\"t\"><row><field name=\"a\"><b>",
            "it has an element that",
        ),
        (
            "<table_data name=\"t\"><row><field name=\"a\" xsi:type=\"xs:hexBinary\">0'</field>",
            "not in hexadecimal digits",
        ),
        (
            "<table_data name=\"t\"><row><field name=\"a\" xsi:type=\"x\">",
            "in an unknown way",
        ),
        ("<table_data>", "an element without its name"),
        (
            "<table_data name=\"t\"><row>",
            "the XML is truncated: the rows of t",
        ),
    ] {
        let error = sql(&format!("{HEAD}<database name=\"d\">{elements}"), 7).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}
