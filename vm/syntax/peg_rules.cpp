// The grammar of the error pass, as text.
//
// The fast parser says only that a source is wrong. To say why in CPython's
// words and places, the statement at fault is parsed again as a PEG: ordered
// alternatives, with the known mistakes among them as rules named invalid_*.
// Which mistake is reported follows from the order of the alternatives and from
// how far ahead each one has to look, so both are part of the language here.
//
// Notation: name = alternative / alternative ;  'x' operator or keyword, "x"
// soft keyword, UPPER a kind of token, e? e* e+, e%',' a list with separators,
// &e !e look ahead, ~ no other alternative after this point, &&'x' reports
// "expected 'x'" (in the second pass), a:e captures. name@ shares its memory between passes with
// and without mistakes. {...} is an action, see peg_actions.cpp:
//   {T a "m"} error at a     {R a b "m"} from a to b     {F a "m"} from a to the last token read
//   {L "m"} at the last token read   {N "m"} at the next token   {P a "m"} at the parameter a
//   {I a "x"} expected an indented block after x on the line of a     {!name} code of its own
#include "vm/syntax/peg_grammar.h"

namespace minivm {
namespace {

constexpr std::string_view kGrammar[] = {
    // ---- the whole
    R"(
file = statements? ENDMARKER ;
interactive = statement_newline ;
eval = expressions NEWLINE* ENDMARKER ;
func_type = '(' type_expressions? ')' '->' expression NEWLINE* ENDMARKER ;
statements = statement+ ;
statement = compound_stmt / simple_stmts ;
statement_newline = compound_stmt NEWLINE / simple_stmts / NEWLINE / ENDMARKER FAIL ;
simple_stmts = simple_stmt !';' NEWLINE / simple_stmt%';' ';'? NEWLINE ;
simple_stmt@ = assignment / &"type" type_alias / star_expressions / &'return' return_stmt
  / &('import' / 'from') import_stmt / &'raise' raise_stmt / 'pass' / &'del' del_stmt
  / &'yield' yield_expr / &'assert' assert_stmt / 'break' / 'continue' / &'global' global_stmt
  / &'nonlocal' nonlocal_stmt ;
compound_stmt = &('def' / '@' / 'async') function_def / &'if' if_stmt / &('class' / '@') class_def
  / &('with' / 'async') with_stmt / &('for' / 'async') for_stmt / &'try' try_stmt
  / &'while' while_stmt / match_stmt ;
)",
    // ---- simple statements
    R"(
assignment = NAME ':' expression ('=' annotated_rhs)?
  / ('(' single_target ')' / single_subscript_attribute_target) ':' expression ('=' annotated_rhs)?
  / (star_targets '=')+ (yield_expr / star_expressions) !'=' TYPE_COMMENT?
  / single_target augassign ~ (yield_expr / star_expressions) / invalid_assignment ;
annotated_rhs = yield_expr / star_expressions ;
invalid_assignment = a:invalid_ann_assign_target ':' expression {!ann_target}
  / a:star_named_expression ',' star_named_expressions* ':' expression
      {T a "only single target (not tuple) can be annotated"}
  / a:expression ':' expression {T a "illegal target for annotation"}
  / (star_targets '=')* a:star_expressions '=' {!assign_target}
  / (star_targets '=')* a:yield_expr '=' {T a "assignment to yield expression not possible"}
  / a:star_expressions augassign (yield_expr / star_expressions) {!augassign_target} ;
invalid_ann_assign_target = list / tuple / '(' invalid_ann_assign_target ')' ;
return_stmt = 'return' star_expressions? ;
raise_stmt = 'raise' expression ('from' expression)? / 'raise' ;
global_stmt = 'global' NAME%',' ;
nonlocal_stmt = 'nonlocal' NAME%',' ;
del_stmt = 'del' del_targets &(';' / NEWLINE) / invalid_del_stmt ;
invalid_del_stmt = 'del' a:star_expressions {!del_target} ;
assert_stmt = 'assert' expression (',' expression)? ;
import_stmt = invalid_import / import_name / import_from ;
invalid_import = a:'import' dotted_name%',' 'from' dotted_name
      {F a "Did you mean to use 'from ... import ...' instead?"}
  / 'import' a:NEWLINE {F a "Expected one or more names after 'import'"} ;
import_name = 'import' (dotted_name ('as' NAME)?)%',' ;
import_from = 'from' ('.' / '...')* dotted_name 'import' import_from_targets
  / 'from' ('.' / '...')+ 'import' import_from_targets ;
import_from_targets = '(' import_from_as_names ','? ')' / import_from_as_names !',' / '*'
  / invalid_import_from_targets ;
import_from_as_names = (NAME ('as' NAME)?)%',' ;
invalid_import_from_targets = import_from_as_names ',' NEWLINE
      {L "trailing comma not allowed without surrounding parentheses"}
  / a:NEWLINE {F a "Expected one or more names after 'import'"} ;
dotted_name = NAME ('.' NAME)* ;
type_alias = "type" NAME type_params? '=' expression ;
)",
    // ---- blocks and definitions
    R"(
block@ = NEWLINE INDENT statements DEDENT / simple_stmts / invalid_block ;
invalid_block = NEWLINE !INDENT {!bare_block} ;
decorators = ('@' named_expression NEWLINE)+ ;
class_def = decorators class_def_raw / class_def_raw ;
class_def_raw = invalid_class_def_raw / 'class' NAME type_params? ('(' arguments? ')')? ':' block ;
invalid_class_def_raw = 'class' NAME type_params? ('(' arguments? ')')? NEWLINE {L "expected ':'"}
  / a:'class' NAME type_params? ('(' arguments? ')')? ':' NEWLINE !INDENT {I a "class definition"} ;
function_def = decorators function_def_raw / function_def_raw ;
function_def_raw = invalid_def_raw
  / 'def' NAME type_params? &&'(' params? ')' ('->' expression)? &&':' func_type_comment? block
  / 'async' 'def' NAME type_params? &&'(' params? ')' ('->' expression)? &&':' func_type_comment?
    block ;
invalid_def_raw = 'async'? a:'def' NAME type_params? '(' params? ')' ('->' expression)? ':' NEWLINE
  !INDENT {I a "function definition"} ;
func_type_comment = NEWLINE TYPE_COMMENT &(NEWLINE INDENT)
  / invalid_double_type_comments / TYPE_COMMENT ;
invalid_double_type_comments = TYPE_COMMENT NEWLINE TYPE_COMMENT NEWLINE INDENT
  {L "Cannot have two type comments on def"} ;
params = invalid_parameters / parameters ;
parameters = slash_no_default param_no_default* param_with_default* star_etc?
  / slash_with_default param_with_default* star_etc?
  / param_no_default+ param_with_default* star_etc? / param_with_default+ star_etc? / star_etc ;
slash_no_default = param_no_default+ '/' ',' / param_no_default+ '/' &')' ;
slash_with_default = param_no_default* param_with_default+ '/' ','
  / param_no_default* param_with_default+ '/' &')' ;
star_etc = invalid_star_etc / '*' param_no_default param_maybe_default* kwds?
  / '*' param_no_default_star_annotation param_maybe_default* kwds?
  / '*' ',' param_maybe_default+ kwds? / kwds ;
kwds = invalid_kwds / '**' param_no_default ;
param_no_default = param ',' TYPE_COMMENT? / param TYPE_COMMENT? &')' ;
param_no_default_star_annotation = param_star_annotation ',' TYPE_COMMENT?
  / param_star_annotation TYPE_COMMENT? &')' ;
param_with_default = param default ',' TYPE_COMMENT? / param default TYPE_COMMENT? &')' ;
param_maybe_default = param default? ',' TYPE_COMMENT? / param default? TYPE_COMMENT? &')' ;
param = NAME annotation? ;
param_star_annotation = NAME ':' star_expression ;
annotation = ':' expression ;
default = '=' expression / invalid_default ;
invalid_default = a:'=' &(')' / ',') {T a "expected default value expression"} ;
invalid_parameters = a:'/' ',' {T a "at least one argument must precede /"}
  / (slash_no_default / slash_with_default) param_maybe_default* a:'/' {T a "/ may appear only once"}
  / slash_no_default? param_no_default* (slash_with_default / param_with_default+) a:param_no_default
      {P a "parameter without a default follows parameter with a default"}
  / param_no_default* a:'(' param_no_default+ ','? b:')'
      {R a b "Function parameters cannot be parenthesized"}
  / (slash_no_default / slash_with_default)? param_maybe_default* '*' (',' / param_no_default)
      param_maybe_default* a:'/' {T a "/ must be ahead of *"}
  / param_maybe_default+ '/' a:'*' {T a "expected comma between / and *"} ;
invalid_star_etc = a:'*' (')' / ',' (')' / '**')) {T a "named arguments must follow bare *"}
  / '*' ',' TYPE_COMMENT {L "bare * has associated type comment"}
  / '*' param a:'=' {T a "var-positional argument cannot have default value"}
  / '*' (param_no_default / ',') param_maybe_default* a:'*' (param_no_default / ',')
      {T a "* argument may appear only once"} ;
invalid_kwds = '**' param a:'=' {T a "var-keyword argument cannot have default value"}
  / '**' param ',' a:param {T a "arguments cannot follow var-keyword argument"}
  / '**' param ',' a:('*' / '**' / '/') {T a "arguments cannot follow var-keyword argument"} ;
type_params = invalid_type_params / '[' type_param%',' ','? ']' ;
invalid_type_params = '[' a:']' {F a "Type parameter list cannot be empty"} ;
type_param@ = NAME type_param_bound? type_param_default? / bounded_star_param
  / '*' NAME type_param_starred_default? / '**' NAME type_param_default? ;
type_param_bound = ':' expression ;
type_param_default = '=' expression ;
type_param_starred_default = '=' star_expression ;
bounded_star_param = '*' NAME a:':' b:expression {!bad_bound}
  / '**' NAME a:':' b:expression {!bad_bound} ;
)",
    // ---- compound statements
    R"(
if_stmt = invalid_if_stmt / 'if' named_expression ':' block elif_stmt
  / 'if' named_expression ':' block else_block? ;
invalid_if_stmt = 'if' named_expression NEWLINE {L "expected ':'"}
  / a:'if' named_expression ':' NEWLINE !INDENT {I a "'if' statement"} ;
elif_stmt = invalid_elif_stmt / 'elif' named_expression ':' block elif_stmt
  / 'elif' named_expression ':' block else_block? ;
invalid_elif_stmt = 'elif' named_expression NEWLINE {L "expected ':'"}
  / a:'elif' named_expression ':' NEWLINE !INDENT {I a "'elif' statement"} ;
else_block = invalid_else_stmt / 'else' &&':' block ;
invalid_else_stmt = a:'else' ':' NEWLINE !INDENT {I a "'else' statement"} ;
while_stmt = invalid_while_stmt / 'while' named_expression ':' block else_block? ;
invalid_while_stmt = 'while' named_expression NEWLINE {L "expected ':'"}
  / a:'while' named_expression ':' NEWLINE !INDENT {I a "'while' statement"} ;
for_stmt = invalid_for_stmt
  / 'for' star_targets 'in' ~ star_expressions ':' TYPE_COMMENT? block else_block?
  / 'async' 'for' star_targets 'in' ~ star_expressions ':' TYPE_COMMENT? block else_block?
  / invalid_for_target ;
invalid_for_stmt = 'async'? 'for' star_targets 'in' star_expressions NEWLINE {L "expected ':'"}
  / 'async'? a:'for' star_targets 'in' star_expressions ':' NEWLINE !INDENT {I a "'for' statement"} ;
invalid_for_target = 'async'? 'for' a:star_expressions {!for_target} ;
with_stmt = invalid_with_stmt_indent
  / 'with' '(' with_item%',' ','? ')' ':' TYPE_COMMENT? block
  / 'with' with_item%',' ':' TYPE_COMMENT? block
  / 'async' 'with' '(' with_item%',' ','? ')' ':' block
  / 'async' 'with' with_item%',' ':' TYPE_COMMENT? block / invalid_with_stmt ;
with_item = expression 'as' star_target &(',' / ')' / ':') / invalid_with_item / expression ;
invalid_with_item = expression 'as' a:expression &(',' / ')' / ':') {!assign_target} ;
invalid_with_stmt = 'async'? 'with' (expression ('as' star_target)?)%',' NEWLINE {L "expected ':'"}
  / 'async'? 'with' '(' (expressions ('as' star_target)?)%',' ','? ')' NEWLINE {L "expected ':'"} ;
invalid_with_stmt_indent = 'async'? a:'with' (expression ('as' star_target)?)%',' ':' NEWLINE !INDENT
      {I a "'with' statement"}
  / 'async'? a:'with' '(' (expressions ('as' star_target)?)%',' ','? ')' ':' NEWLINE !INDENT
      {I a "'with' statement"} ;
try_stmt = invalid_try_stmt / 'try' &&':' block finally_block
  / 'try' &&':' block except_block+ else_block? finally_block?
  / 'try' &&':' block except_star_block+ else_block? finally_block? ;
invalid_try_stmt = a:'try' ':' NEWLINE !INDENT {I a "'try' statement"}
  / 'try' ':' block !('except' / 'finally') {L "expected 'except' or 'finally' block"}
  / 'try' ':' block* except_block+ a:'except' b:'*' expression ('as' NAME)? ':'
      {R a b "cannot have both 'except' and 'except*' on the same 'try'"}
  / 'try' ':' block* except_star_block+ a:'except' (expression ('as' NAME)?)? ':'
      {T a "cannot have both 'except' and 'except*' on the same 'try'"} ;
except_block = invalid_except_stmt_indent / 'except' expression ('as' NAME)? ':' block
  / 'except' ':' block / invalid_except_stmt ;
except_star_block = invalid_except_star_stmt_indent
  / 'except' '*' expression ('as' NAME)? ':' block / invalid_except_stmt ;
invalid_except_stmt = 'except' '*'? a:expression ',' expressions ('as' NAME)? ':'
      {F a "multiple exception types must be parenthesized"}
  / 'except' '*'? expression ('as' NAME)? NEWLINE {L "expected ':'"}
  / 'except' NEWLINE {L "expected ':'"}
  / 'except' '*' (NEWLINE / ':') {L "expected one or more exception types"} ;
invalid_except_stmt_indent = a:'except' expression ('as' NAME)? ':' NEWLINE !INDENT
      {I a "'except' statement"}
  / a:'except' ':' NEWLINE !INDENT {I a "'except' statement"} ;
invalid_except_star_stmt_indent = a:'except' '*' expression ('as' NAME)? ':' NEWLINE !INDENT
  {I a "'except*' statement"} ;
finally_block = invalid_finally_stmt / 'finally' &&':' block ;
invalid_finally_stmt = a:'finally' ':' NEWLINE !INDENT {I a "'finally' statement"} ;
)",
    // ---- match
    R"(
match_stmt = "match" subject_expr ':' NEWLINE INDENT case_block+ DEDENT / invalid_match_stmt ;
invalid_match_stmt = "match" subject_expr NEWLINE {L "expected ':'"}
  / a:"match" subject_expr ':' NEWLINE !INDENT {I a "'match' statement"} ;
subject_expr = star_named_expression ',' star_named_expressions? / named_expression ;
case_block = invalid_case_block / "case" patterns guard? ':' block ;
invalid_case_block = "case" patterns guard? NEWLINE {L "expected ':'"}
  / a:"case" patterns guard? ':' NEWLINE !INDENT {I a "'case' statement"} ;
guard = 'if' named_expression ;
patterns = open_sequence_pattern / pattern ;
pattern = as_pattern / or_pattern ;
as_pattern = or_pattern 'as' pattern_capture_target / invalid_as_pattern ;
invalid_as_pattern = or_pattern 'as' a:"_" {T a "cannot use '_' as a target"}
  / or_pattern 'as' !NAME a:expression {T a "invalid pattern target"} ;
or_pattern = closed_pattern%'|' ;
closed_pattern@ = literal_pattern / pattern_capture_target / "_" / value_pattern / '(' pattern ')'
  / sequence_pattern / mapping_pattern / class_pattern ;
literal_pattern = signed_number !('+' / '-') / complex_number / strings / 'None' / 'True' / 'False' ;
literal_expr = signed_number !('+' / '-') / complex_number / strings / 'None' / 'True' / 'False' ;
complex_number = signed_real_number '+' imaginary_number / signed_real_number '-' imaginary_number ;
signed_number = NUMBER {!number} / '-' NUMBER {!number} ;
signed_real_number = real_number / '-' real_number ;
real_number = a:NUMBER {!real} ;
imaginary_number = a:NUMBER {!imaginary} ;
pattern_capture_target = !"_" NAME !('.' / '(' / '=') ;
value_pattern = attr !('.' / '(' / '=') ;
attr = NAME ('.' NAME)+ ;
name_or_attr = NAME ('.' NAME)* ;
sequence_pattern = '[' maybe_sequence_pattern? ']' / '(' open_sequence_pattern? ')' ;
open_sequence_pattern = maybe_star_pattern ',' maybe_sequence_pattern? ;
maybe_sequence_pattern = maybe_star_pattern%',' ','? ;
maybe_star_pattern = star_pattern / pattern ;
star_pattern@ = '*' pattern_capture_target / '*' "_" ;
mapping_pattern = '{' '}' / '{' double_star_pattern ','? '}'
  / '{' items_pattern ',' double_star_pattern ','? '}' / '{' items_pattern ','? '}' ;
items_pattern = key_value_pattern%',' ;
key_value_pattern = (literal_expr / attr) ':' pattern ;
double_star_pattern = '**' pattern_capture_target ;
class_pattern = name_or_attr '(' ')' / name_or_attr '(' positional_patterns ','? ')'
  / name_or_attr '(' keyword_patterns ','? ')'
  / name_or_attr '(' positional_patterns ',' keyword_patterns ','? ')' / invalid_class_pattern ;
invalid_class_pattern = name_or_attr '(' (positional_patterns ',')? keyword_patterns ','
  a:positional_patterns {T a "positional patterns follow keyword patterns"} ;
positional_patterns = pattern%',' ;
keyword_patterns = (NAME '=' pattern)%',' ;
)",
    // ---- expressions
    R"(
expressions = expression (',' expression)+ ','? / expression ',' / expression ;
expression@ = invalid_expression / invalid_legacy_expression
  / disjunction 'if' disjunction 'else' expression / disjunction / lambdef ;
invalid_expression = !(NAME STRING / SOFT_KEYWORD) a:disjunction b:expression_without_invalid
      {!forgot_comma}
  / a:disjunction 'if' b:disjunction !('else' / ':')
      {R a b "expected 'else' after 'if' expression"}
  / a:'lambda' lambda_params? b:':' &FSTRING_MIDDLE
      {R a b "f-string: lambda expressions are not allowed without parentheses"} ;
expression_without_invalid = QUIET (disjunction 'if' disjunction 'else' expression / disjunction
  / lambdef) ;
invalid_legacy_expression = a:NAME !'(' b:star_expressions {!legacy} ;
yield_expr = 'yield' 'from' expression / 'yield' star_expressions? ;
star_expressions = star_expression (',' star_expression)+ ','? / star_expression ','
  / star_expression ;
star_expression@ = '*' bitwise_or / expression ;
star_named_expressions = star_named_expression%',' ','? ;
star_named_expression = '*' bitwise_or / named_expression ;
assignment_expression = NAME ':=' ~ expression ;
named_expression = assignment_expression / invalid_named_expression / expression !':=' ;
invalid_named_expression@ = a:expression ':=' expression {!walrus_target}
  / a:NAME '=' b:bitwise_or !('=' / ':=')
      {R a b "invalid syntax. Maybe you meant '==' or ':=' instead of '='?"}
  / !(list / tuple / genexp / 'True' / 'None' / 'False') a:bitwise_or '=' bitwise_or !('=' / ':=')
      {!equal_target} ;
disjunction@ = conjunction ('or' conjunction)+ / conjunction ;
conjunction@ = inversion ('and' inversion)+ / inversion ;
inversion@ = 'not' inversion / comparison ;
comparison = bitwise_or compare_pair+ / bitwise_or ;
compare_pair = '==' bitwise_or / not_equal bitwise_or / '<=' bitwise_or / '<' bitwise_or
  / '>=' bitwise_or / '>' bitwise_or / 'not' 'in' bitwise_or / 'in' bitwise_or
  / 'is' 'not' bitwise_or / 'is' bitwise_or ;
not_equal = a:'!=' {!not_equal} ;
bitwise_or@ = bitwise_xor ('|' bitwise_xor)* ;
bitwise_xor@ = bitwise_and ('^' bitwise_and)* ;
bitwise_and@ = shift_expr ('&' shift_expr)* ;
shift_expr@ = (invalid_arithmetic / sum) ('<<' sum / '>>' sum)* ;
invalid_arithmetic = sum ('+' / '-' / '*' / '/' / '%' / '//' / '@') a:'not' b:inversion
  {R a b "'not' after an operator must be parenthesized"} ;
sum@ = term ('+' term / '-' term)* ;
term@ = (invalid_factor / factor) ('*' factor / '/' factor / '//' factor / '%' factor / '@' factor)* ;
invalid_factor = ('+' / '-' / '~') a:'not' b:factor
  {R a b "'not' after an operator must be parenthesized"} ;
factor@ = '+' factor / '-' factor / '~' factor / power ;
power = await_primary '**' factor / await_primary ;
await_primary@ = 'await' primary / primary ;
primary@ = atom ('.' NAME / genexp / '(' arguments? ')' / '[' slices ']')* ;
slices = slice !',' / (slice / starred_expression)%',' ','? ;
slice = expression? ':' expression? (':' expression?)? / named_expression ;
atom = NAME / 'True' / 'False' / 'None' / &(STRING / FSTRING_START) strings / number
  / &'(' (tuple / group / genexp) / &'[' (list / listcomp) / &'{' (dict / set / dictcomp / setcomp)
  / '...' ;
number = NUMBER {!number} ;
group = '(' (yield_expr / named_expression) ')' / invalid_group ;
invalid_group = '(' a:starred_expression ')' {T a "cannot use starred expression here"}
  / '(' a:'**' expression ')' {T a "cannot use double starred expression here"} ;
lambdef = 'lambda' lambda_params? ':' expression ;
strings@ = (fstring / string)+ {!strings} ;
string = STRING {!string} ;
fstring = FSTRING_START (fstring_replacement_field / FSTRING_MIDDLE)* FSTRING_END {!fstring} ;
fstring_replacement_field = '{' annotated_rhs '='? a:fstring_conversion? fstring_full_format_spec?
    '}' {!conversion} / invalid_replacement_field ;
fstring_conversion = a:'!' b:NAME {!conversion_place} ;
fstring_full_format_spec = ':' fstring_format_spec* ;
fstring_format_spec = FSTRING_MIDDLE {!spec_text} / fstring_replacement_field ;
invalid_replacement_field = '{' a:'=' {T a "f-string: valid expression required before '='"}
  / '{' a:'!' {T a "f-string: valid expression required before '!'"}
  / '{' a:':' {T a "f-string: valid expression required before ':'"}
  / '{' a:'}' {T a "f-string: valid expression required before '}'"}
  / '{' !annotated_rhs {N "f-string: expecting a valid expression after '{'"}
  / '{' annotated_rhs !('=' / '!' / ':' / '}')
      {N "f-string: expecting '=', or '!', or ':', or '}'"}
  / '{' annotated_rhs '=' !('!' / ':' / '}') {N "f-string: expecting '!', or ':', or '}'"}
  / '{' annotated_rhs '='? invalid_conversion_character
  / '{' annotated_rhs '='? ('!' NAME)? !(':' / '}') {N "f-string: expecting ':' or '}'"}
  / '{' annotated_rhs '='? ('!' NAME)? ':' fstring_format_spec* !'}'
      {N "f-string: expecting '}', or format specs"}
  / '{' annotated_rhs '='? ('!' NAME)? !'}' {N "f-string: expecting '}'"} ;
invalid_conversion_character = '!' &(':' / '}') {N "f-string: missing conversion character"}
  / '!' !NAME {N "f-string: invalid conversion character"} ;
list = '[' star_named_expressions? ']' ;
tuple = '(' (star_named_expression ',' star_named_expressions?)? ')' ;
set = '{' star_named_expressions '}' ;
dict = '{' double_starred_kvpairs? '}' / '{' invalid_double_starred_kvpairs '}' ;
double_starred_kvpairs = double_starred_kvpair%',' ','? ;
double_starred_kvpair = '**' bitwise_or / kvpair ;
kvpair = expression ':' expression ;
invalid_double_starred_kvpairs = double_starred_kvpair%',' ',' invalid_kvpair
  / expression ':' a:'*' bitwise_or {F a "cannot use a starred expression in a dictionary value"}
  / expression a:':' &('}' / ',') {T a "expression expected after dictionary key and ':'"} ;
invalid_kvpair = a:expression !':' {!missing_colon}
  / expression ':' a:'*' bitwise_or {F a "cannot use a starred expression in a dictionary value"}
  / expression a:':' &('}' / ',') {T a "expression expected after dictionary key and ':'"} ;
for_if_clauses = for_if_clause+ ;
for_if_clause = 'async' 'for' star_targets 'in' ~ disjunction ('if' disjunction)*
  / 'for' star_targets 'in' ~ disjunction ('if' disjunction)* / for_without_in
  / invalid_for_target ;
for_without_in = 'async'? 'for' (bitwise_or (',' bitwise_or)* ','?) !'in'
  {L "'in' expected after for-loop variables"} ;
listcomp = '[' named_expression for_if_clauses ']' / invalid_comprehension ;
setcomp = '{' named_expression for_if_clauses '}' / invalid_comprehension ;
genexp = '(' (assignment_expression / expression !':=') for_if_clauses ')'
  / invalid_comprehension ;
dictcomp = '{' kvpair for_if_clauses '}' / invalid_dict_comprehension ;
invalid_comprehension = ('[' / '(' / '{') a:starred_expression for_if_clauses
      {T a "iterable unpacking cannot be used in comprehension"}
  / ('[' / '{') a:star_named_expression ',' b:star_named_expressions for_if_clauses
      {!comprehension_target}
  / ('[' / '{') a:star_named_expression b:',' for_if_clauses
      {R a b "did you forget parentheses around the comprehension target?"} ;
invalid_dict_comprehension = '{' a:'**' bitwise_or for_if_clauses '}'
  {T a "dict unpacking cannot be used in dict comprehension"} ;
)",
    // ---- arguments
    R"(
arguments@ = args ','? &')' / invalid_arguments ;
args = (starred_expression / (assignment_expression / expression !':=') !'=')%',' (',' kwargs)?
  / kwargs ;
kwargs = kwarg_or_starred%',' ',' kwarg_or_double_starred%',' / kwarg_or_starred%','
  / kwarg_or_double_starred%',' ;
starred_expression = invalid_starred_expression_unpacking / '*' expression
  / star_alone ;
invalid_starred_expression_unpacking = a:'*' expression '=' b:expression
  {R a b "cannot assign to iterable argument unpacking"} ;
star_alone = '*' {L "Invalid star expression"} ;
kwarg_or_starred = invalid_kwarg / NAME '=' expression / starred_expression ;
kwarg_or_double_starred = invalid_kwarg / NAME '=' expression / '**' expression ;
invalid_kwarg = a:('True' / 'False' / 'None') b:'=' {!keyword_constant}
  / a:NAME b:'=' expression for_if_clauses
      {R a b "invalid syntax. Maybe you meant '==' or ':=' instead of '='?"}
  / !(NAME '=') a:expression b:'='
      {R a b "expression cannot contain assignment, perhaps you meant \"==\"?"}
  / a:'**' expression '=' b:expression {R a b "cannot assign to keyword argument unpacking"} ;
invalid_arguments = ((starred_expression / (assignment_expression / expression !':=') !'=')%',' ','
      kwargs / kwargs) a:',' (starred_expression !'=')%','
      {F a "iterable argument unpacking follows keyword argument unpacking"}
  / a:expression b:for_if_clauses ',' (args / expression for_if_clauses)? {!bare_generator}
  / a:NAME b:'=' expression for_if_clauses
      {R a b "invalid syntax. Maybe you meant '==' or ':=' instead of '='?"}
  / (args ',')? a:NAME b:'=' &(',' / ')') {R a b "expected argument value expression"}
  / a:args b:for_if_clauses {!bare_generator_after}
  / args ',' a:expression b:for_if_clauses {!bare_generator}
  / a:args ',' args {!argument_order} ;
)",
    // ---- lambda parameters
    R"(
lambda_params = invalid_lambda_parameters / lambda_parameters ;
lambda_parameters = lambda_slash_no_default lambda_param_no_default* lambda_param_with_default*
    lambda_star_etc?
  / lambda_slash_with_default lambda_param_with_default* lambda_star_etc?
  / lambda_param_no_default+ lambda_param_with_default* lambda_star_etc?
  / lambda_param_with_default+ lambda_star_etc? / lambda_star_etc ;
lambda_slash_no_default = lambda_param_no_default+ '/' ',' / lambda_param_no_default+ '/' &':' ;
lambda_slash_with_default = lambda_param_no_default* lambda_param_with_default+ '/' ','
  / lambda_param_no_default* lambda_param_with_default+ '/' &':' ;
lambda_star_etc = invalid_lambda_star_etc
  / '*' lambda_param_no_default lambda_param_maybe_default* lambda_kwds?
  / '*' ',' lambda_param_maybe_default+ lambda_kwds? / lambda_kwds ;
lambda_kwds = invalid_lambda_kwds / '**' lambda_param_no_default ;
lambda_param_no_default = NAME ',' / NAME &':' ;
lambda_param_with_default = NAME default ',' / NAME default &':' ;
lambda_param_maybe_default = NAME default? ',' / NAME default? &':' ;
invalid_lambda_parameters = a:'/' ',' {T a "at least one argument must precede /"}
  / (lambda_slash_no_default / lambda_slash_with_default) lambda_param_maybe_default* a:'/'
      {T a "/ may appear only once"}
  / lambda_slash_no_default? lambda_param_no_default*
      (lambda_slash_with_default / lambda_param_with_default+) a:lambda_param_no_default
      {P a "parameter without a default follows parameter with a default"}
  / lambda_param_no_default* a:'(' NAME%',' ','? b:')'
      {R a b "Lambda expression parameters cannot be parenthesized"}
  / (lambda_slash_no_default / lambda_slash_with_default)? lambda_param_maybe_default* '*'
      (',' / lambda_param_no_default) lambda_param_maybe_default* a:'/' {T a "/ must be ahead of *"}
  / lambda_param_maybe_default+ '/' a:'*' {T a "expected comma between / and *"} ;
invalid_lambda_star_etc = '*' (':' / ',' (':' / '**')) {L "named arguments must follow bare *"}
  / '*' NAME a:'=' {T a "var-positional argument cannot have default value"}
  / '*' (lambda_param_no_default / ',') lambda_param_maybe_default* a:'*'
      (lambda_param_no_default / ',') {T a "* argument may appear only once"} ;
invalid_lambda_kwds = '**' NAME a:'=' {T a "var-keyword argument cannot have default value"}
  / '**' NAME ',' a:NAME {T a "arguments cannot follow var-keyword argument"}
  / '**' NAME ',' a:('*' / '**' / '/') {T a "arguments cannot follow var-keyword argument"} ;
)",
    // ---- targets
    R"(
star_targets = star_target !',' / star_target (',' star_target)* ','? ;
star_targets_list_seq = star_target%',' ','? ;
star_targets_tuple_seq = star_target (',' star_target)+ ','? / star_target ',' ;
star_target@ = '*' (!'*' star_target) / target_with_star_atom ;
target_with_star_atom@ = t_primary '.' NAME !t_lookahead / t_primary '[' slices ']' !t_lookahead
  / star_atom ;
star_atom = NAME / '(' target_with_star_atom ')' / '(' star_targets_tuple_seq? ')'
  / '[' star_targets_list_seq? ']' ;
single_target = single_subscript_attribute_target / NAME / '(' single_target ')' ;
single_subscript_attribute_target = t_primary '.' NAME !t_lookahead
  / t_primary '[' slices ']' !t_lookahead ;
t_primary@ = atom &t_lookahead ('.' NAME &t_lookahead / '[' slices ']' &t_lookahead
  / genexp &t_lookahead / '(' arguments? ')' &t_lookahead)* ;
t_lookahead = '(' / '[' / '.' ;
del_targets = del_target%',' ','? ;
del_target@ = t_primary '.' NAME !t_lookahead / t_primary '[' slices ']' !t_lookahead / del_t_atom ;
del_t_atom = NAME / '(' del_target ')' / '(' del_targets? ')' / '[' del_targets? ']' ;
augassign = '+=' / '-=' / '*=' / '@=' / '/=' / '%=' / '&=' / '|=' / '^=' / '<<=' / '>>=' / '**='
  / '//=' ;
type_expressions = expression%',' ',' '*' expression ',' '**' expression
  / expression%',' ',' '*' expression / expression%',' ',' '**' expression
  / '*' expression ',' '**' expression / '*' expression / '**' expression / expression%',' ;
)",
};

}  // namespace

std::span<const std::string_view> ErrorGrammarText() { return kGrammar; }

}  // namespace minivm
