package plugin_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/plugin"
)

func TestParseCallback(t *testing.T) {
	t.Parallel()
	type m = plugin.CallbackMessage
	for _, row := range []struct {
		name, body, query string
		want              m
	}{
		{"a company that was deleted", `{"MessageId":"abcdefgh-1","Type":"Company","Action":"Deleted","ID":12}`, "recordId=12&action=deleted",
			m{ID: "abcdefgh-1", Type: "company", Action: "deleted", Record: 12}},
		{"plural names", `{"Type":"Agreements","ID":"12"}`, "", m{Type: "agreement", Record: 12}},
		{"another type", `{"Type":"ticket","ID":12,"Action":"exploded"}`, "", m{Record: 12}},
		{"the id of nothing", `{"MessageId":"00000000-0000-0000-0000-000000000000"}`, "", m{}},
		{"an id that is no id", `{"MessageId":"../../etc/passwd; drop table"}`, "", m{}},
		{"a member that is none", `{"MemberId":"a\nb"}`, "", m{}},
		{"appended where the body is silent", `{"Type":"agreement"}`, "recordId=7&action=updated", m{Type: "agreement", Record: 7, Action: "updated"}},
		{"appended against the body", `{"Type":"agreement","ID":8,"Action":"added"}`, "recordId=7&action=updated",
			m{Type: "agreement", Record: 8, Action: "added"}},
		{"appended and hostile", `{"Type":"agreement"}`, "recordId=1 or 1=1&action='", m{Type: "agreement"}},
		{"appended and negative", `{"Type":"agreement","ID":-7}`, "recordId=-7", m{Type: "agreement"}},
		{"appended and huge", `{"Type":"agreement","ID":99999999999999999999}`, "recordId=2147483648", m{Type: "agreement"}},
		{"a fraction", `{"ID":7.5}`, "recordId=7.5", m{}},
		{"an exponent", `{"ID":7e2}`, "", m{}},
		{"a query that isn't one", `{}`, "%zz&;", m{}},
		{"a query that is far too long", `{}`, "recordId=7&x=" + strings.Repeat("y", 4000), m{}},
		{"other kinds of values", `{"MessageId":7,"Type":["agreement"],"Action":{},"ID":true,"MemberId":null,"Metadata":"x"}`, "", m{}},
		{"the address of a key", `{"Metadata":{"key_url":"https://x"}}`, "", m{KeyURL: "https://x"}},
		{"an address that is far too long", `{"Metadata":{"key_url":"https://` + strings.Repeat("x", 4000) + `"}}`, "", m{}},
		{"an address that is none", `{"Metadata":{"key_url":{"a":1}}}`, "", m{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := plugin.ParseCallback([]byte(row.body), row.query)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(row.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	for _, body := range []string{"", "null!", "[1]", `"text"`, "{", "7", strings.Repeat("[", 100_000)} {
		if m, err := plugin.ParseCallback([]byte(body), "recordId=7"); !errors.Is(err, plugin.ErrCallbackForm) || m != (plugin.CallbackMessage{}) {
			t.Errorf("%.20q gives %+v, %v", body, m, err)
		}
	}
}

// FuzzParseCallback: whatever comes, ids are ids and words are known ones.
func FuzzParseCallback(f *testing.F) {
	f.Add([]byte(`{"MessageId":"abcdefgh","Type":"agreement","ID":7,"Metadata":{"key_url":"https://x"}}`), "recordId=7&action=updated")
	f.Add([]byte(`{"ID":"1e9"}`), "recordId=%31")
	f.Fuzz(func(t *testing.T, body []byte, query string) {
		m, err := plugin.ParseCallback(body, query)
		if err != nil && m != (plugin.CallbackMessage{}) {
			t.Errorf("%+v beside %v", m, err)
		}
		if m.Record < 0 || len(m.ID) > 64 || len(m.Member) > 100 || strings.ContainsAny(m.ID+m.Member, "\x00\n ") {
			t.Errorf("%+v", m)
		}
		switch m.Type + "/" + m.Action {
		case "/", "/added", "/updated", "/deleted", "agreement/", "agreement/added", "agreement/updated", "agreement/deleted",
			"company/", "company/added", "company/updated", "company/deleted":
		default:
			t.Errorf("%+v", m)
		}
	})
}
