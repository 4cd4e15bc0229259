package connectwise

import (
	"encoding/json"
	"testing"
	"time"

	"trueup/server/billing"
)

func TestExactDecimal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"0": "0", "-2": "-2", "10.00": "10.00", "1e2": "100", "1.5E-3": "0.0015", "22.064516129032258": "22.064516129032258",
		"0.30000000000000004": "0.30000000000000004", "100.000000000000000000000": "100.0000000000000000", "1000000000000": "1000000000000",
	} {
		got, err := exactDecimal(in)
		if err != nil || got.Cmp(dec(want)) != 0 {
			t.Errorf("%s: %v %v", in, got, err)
		}
	}
	for _, in := range []string{"", "NaN", "Infinity", "-", "+1", `"5"`, "1e13", "-1000000000001", "1e999999999", "1e-999", "0.1234567890123456789012", "1.5x", "true",
		"1000000000000000000000000000000000000000000000000000000000000000000000"} {
		if got, err := exactDecimal(in); err == nil {
			t.Errorf("%s read as %v", in, got)
		}
	}
}

func TestReadDay(t *testing.T) {
	t.Parallel()
	want := billing.Date(2026, time.April, 1)
	for _, in := range []string{"2026-04-01", "2026-04-01T00:00:00Z", "2026-04-01T00:00:00", "2026-04-01T23:30:00-08:00", "2026-04-01T04:00:00.000Z", "4/1/2026", "04/01/2026", " 4/1/2026 12:00:00 AM "} {
		if got, odd := readDay(in); got != want || odd {
			t.Errorf("%q: %v, odd %v", in, got, odd)
		}
	}
	for _, in := range []string{"", "  ", "0001-01-01T00:00:00Z", "1/1/0001"} {
		if got, odd := readDay(in); !got.IsZero() || odd {
			t.Errorf("%q: %v, odd %v", in, got, odd)
		}
	}
	for _, in := range []string{"soon", "2026-13-01", "31/12/2026", "2026-02-30", "1 April 2026", "0"} {
		if got, odd := readDay(in); !got.IsZero() || !odd {
			t.Errorf("%q: %v, odd %v", in, got, odd)
		}
	}
}

func TestFlag(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]billing.Flag{"true": billing.On, "false": billing.Off, "null": billing.Unset, `"True"`: billing.On, `"False"`: billing.Off, `""`: billing.Unset} {
		var f flag
		if err := json.Unmarshal([]byte(in), &f); err != nil || f.Flag != want {
			t.Errorf("%s: %v %v", in, f, err)
		}
	}
	for _, in := range []string{"1", `"yes"`, "{}", "[]"} {
		var f flag
		if err := json.Unmarshal([]byte(in), &f); err == nil {
			t.Errorf("%s read as %v", in, f)
		}
	}
}

func TestQuotable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{"Acme": true, "Müller & Söhne, Co.": true, "": false, `a"b`: false, "it's": false, "a*": false, "a[1]": false, "a%": false, "a\nb": false, `a\`: false} {
		if quotable(in) != want {
			t.Errorf("%q: %v", in, !want)
		}
	}
}
