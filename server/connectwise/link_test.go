package connectwise

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadLinks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		headers []string
		want    []link
		bad     bool
	}{
		{"none", nil, nil, false},
		{"empty", []string{""}, nil, false},
		{"blanks and commas", []string{" , ,\t"}, nil, false},
		{"two in one", []string{`<https://h/a?x=1,2>; rel="next", <b>; rel=last`}, []link{{"https://h/a?x=1,2", []string{"next"}}, {"b", []string{"last"}}}, false},
		{"two headers", []string{`<a>; rel=prev`, `<b>; rel=next`}, []link{{"a", []string{"prev"}}, {"b", []string{"next"}}}, false},
		{"several rels", []string{`<a>;REL="Last NEXT"`}, []link{{"a", []string{"last", "next"}}}, false},
		{"first rel counts", []string{`<a>; rel=prev; rel=next`}, []link{{"a", []string{"prev"}}}, false},
		{"other parameters", []string{`<a>; title="a, b; \"c\" <d>"; media; rel = next ; x=y`}, []link{{"a", []string{"next"}}}, false},
		{"no rel", []string{`<a>`}, []link{{"a", nil}}, false},
		{"words", []string{"next"}, nil, true},
		{"not closed", []string{"<a; rel=next"}, nil, true},
		{"quote not closed", []string{`<a>; rel="next`}, nil, true},
		{"backslash at the end", []string{`<a>; rel="next\`}, nil, true},
		{"text after", []string{`<a> b`}, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := readLinks(c.headers)
			if (err != nil) != c.bad {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got, cmp.AllowUnexported(link{})); d != "" {
				t.Error(d)
			}
		})
	}
	many := make([]string, 40)
	for i := range many {
		many[i] = "<a>; rel=x"
	}
	if _, err := readLinks(many); err == nil {
		t.Error("took 40 links")
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	c := &Client{site: site{scheme: "https", login: "na.myconnectwise.net", api: "api-na.myconnectwise.net"}}
	const path = "/finance/agreements/7/additions"
	for _, k := range []struct {
		name, link string
		want       int
		bad        bool
	}{
		{"as documented", `<https://api-na.myconnectwise.net/v2025_1/apis/3.0` + path + `?pageSize=1000&pageId=55>; rel="next"`, 55, false},
		{"the sign-in host", `<https://na.myconnectwise.net/v2025_1//apis/3.0` + path + `?pageid=55>; rel="next"`, 55, false},
		{"the router's codebase", `<https://api-na.myconnectwise.net/v4_6_release/apis/3.0` + path + `?pageId=55>; rel="next"`, 55, false},
		{"relative", `</v2025_1/apis/3.0` + path + `?pageId=55>; rel=next`, 55, false},
		{"only previous", `</v2025_1/apis/3.0` + path + `?pageId=55>; rel=prev`, 0, false},
		{"no number in it", `</v2025_1/apis/3.0` + path + `>; rel=next`, 0, false},
		{"another host", `<https://evil.example/v2025_1/apis/3.0` + path + `?pageId=55>; rel=next`, 0, true},
		{"host as a user", `<https://api-na.myconnectwise.net@evil.example/v2025_1/apis/3.0` + path + `?pageId=55>; rel=next`, 0, true},
		{"longer host", `<https://api-na.myconnectwise.net.evil.example/v2025_1/apis/3.0` + path + `?pageId=55>; rel=next`, 0, true},
		{"another agreement", `</v2025_1/apis/3.0/finance/agreements/8/additions?pageId=55>; rel=next`, 0, true},
		{"up and away", `</v2025_1/apis/3.0` + path + `/../../../x?pageId=55>; rel=next`, 0, true},
		{"negative", `</v2025_1/apis/3.0` + path + `?pageId=-1>; rel=next`, 0, true},
		{"huge", `</v2025_1/apis/3.0` + path + `?pageId=99999999999>; rel=next`, 0, true},
		{"no address", `<:>; rel=next`, 0, true},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			got, err := c.next([]string{k.link}, path, "pageId")
			if got != k.want || (err != nil) != k.bad {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
}
