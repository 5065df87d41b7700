/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench/suite_toml.h"

#include <exception>
#include <string>
#include <string_view>

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS  0
#include <toml++/toml.h>

namespace
{

struct reading {
    const char *name;
    const suite_reader *reader;
    void *payload;
    p11prof_error *error;
};

suite_place place_of(const toml::source_region &source)
{
    return {source.begin.line, source.begin.column};
}

p11prof_status refuse(const reading &in, suite_place place, std::string_view word, const char *what)
{
    return p11prof_error_set(
        in.error, P11PROF_BAD_INPUT, "%.150s:%u:%u: %.*s%s", in.name, place.line, place.column,
        static_cast<int>(word.size() < 200 ? word.size() : 200), word.data(), what);
}

p11prof_status member_read(const reading &in, const toml::key &key, const toml::node &value)
{
    const std::string name(key.str());
    std::string text;
    suite_member member = {
        name.c_str(), SUITE_OTHER, nullptr, 0, place_of(key.source()), place_of(value.source())};
    if (name.find('\0') != std::string::npos)
        return refuse(in, member.key_place, "", "a name with a NUL in it");
    if (const auto *string = value.as_string()) {
        text = string->get();
        if (text.find('\0') != std::string::npos)
            return refuse(in, member.place, "", "a text with a NUL in it");
        member.type = SUITE_TEXT;
        member.text = text.c_str();
    } else if (const auto *number = value.as_integer()) {
        member.type = SUITE_NUMBER;
        member.number = number->get();
    }
    return in.reader->member(in.payload, &member) ? P11PROF_OK : P11PROF_CHANGED;
}

p11prof_status members_read(const reading &in, const toml::table &table, std::string_view but)
{
    for (const auto &[key, value] : table) {
        if (key.str() == but)
            continue;
        p11prof_status status = member_read(in, key, value);
        if (status != P11PROF_OK)
            return status;
    }
    return P11PROF_OK;
}

p11prof_status operation_read(const reading &in, const toml::table &table)
{
    if (!in.reader->operation(in.payload, place_of(table.source())))
        return P11PROF_CHANGED;
    return members_read(in, table, "");
}

p11prof_status test_read(const reading &in, const toml::table &table);

/* All tables of an array that has nothing else, and is not empty. */
p11prof_status tables_read(const reading &in, const toml::table &parent, const char *name,
                           p11prof_status (*read)(const reading &in, const toml::table &table))
{
    const toml::node *node = parent.get(name);
    if (!node)
        return refuse(in, place_of(parent.source()), name, " is missing");
    const toml::array *array = node->as_array();
    if (!array || array->empty())
        return refuse(in, place_of(node->source()), name, " is no list of tables");
    for (const toml::node &element : *array) {
        const toml::table *table = element.as_table();
        p11prof_status status =
            table ? read(in, *table)
                  : refuse(in, place_of(element.source()), name, " has what is no table");
        if (status != P11PROF_OK)
            return status;
    }
    return P11PROF_OK;
}

p11prof_status test_read(const reading &in, const toml::table &table)
{
    if (!in.reader->test(in.payload, place_of(table.source())))
        return P11PROF_CHANGED;
    p11prof_status status = members_read(in, table, "operations");
    return status == P11PROF_OK ? tables_read(in, table, "operations", operation_read) : status;
}

p11prof_status root_read(const reading &in, const toml::table &root)
{
    for (const auto &[key, value] : root)
        if (key.str() != "tests")
            return refuse(in, place_of(key.source()), key.str(),
                          " is no part of a suite: it has [[tests]]");
    return tables_read(in, root, "tests", test_read);
}

p11prof_status text_read(const reading &in, std::string_view text)
{
    const toml::parse_result result = toml::parse(text);
    if (result)
        return root_read(in, result.table());
    return refuse(in, place_of(result.error().source()), result.error().description(), "");
}

} // namespace

extern "C" p11prof_status suite_toml_read(const char *text, size_t bytes, const char *name,
                                          const suite_reader *reader, void *payload,
                                          p11prof_error *error)
{
    try {
        return text_read({name, reader, payload, error}, {text, bytes});
    } catch (const std::exception &problem) {
        return p11prof_error_set(error, P11PROF_FAILED, "%.300s: %.200s", name, problem.what());
    } catch (...) {
        return p11prof_error_set(error, P11PROF_FAILED, "%.300s cannot be read", name);
    }
}
