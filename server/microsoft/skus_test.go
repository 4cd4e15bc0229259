package microsoft

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
)

func TestBuiltInTable(t *testing.T) {
	t.Parallel()
	products := BuiltInSKUs().Products()
	if len(products) < 600 {
		t.Fatalf("%d products", len(products))
	}
	for i, p := range products {
		if !isGUID(string(p.SKU)) || strings.ToLower(string(p.SKU)) != string(p.SKU) || p.Part == "" || p.Name == "" || i > 0 && products[i-1].SKU >= p.SKU {
			t.Errorf("%+v", p)
		}
	}
	for _, c := range []struct {
		id         billing.SKUID
		part, want string
	}{{skuSPB, "SPB", "Microsoft 365 Business Premium"}, {skuUnknown, "NEW_THING", "NEW_THING"}, {skuUnknown, "", skuUnknown}} {
		if got := SKUName(c.id, c.part); got != c.want {
			t.Errorf("%s is named %q, want %q", c.id, got, c.want)
		}
	}
}

func TestFreeSKU(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		id        billing.SKUID
		part, why string
	}{
		{skuFlow, "FLOW_FREE", "Free license"}, {skuFlow, "", "Free license"}, {skuUnknown, "flow_free", "Free license"},
		{"dcb1a3ae-b33f-4487-846a-a640262fadf4", "", "Trial that users start by themselves"}, {"29a2f828-8f39-4837-b8ff-c957e86abe3c", "", "Trial license"},
		{skuSPB, "SPB", ""}, {skuUnknown, "", ""}, {skuStorage, "SHAREPOINTSTORAGE", ""},
	} {
		if why, ok := FreeSKU(c.id, c.part); why != c.why || ok != (c.why != "") {
			t.Errorf("%s %s: %q %v, want %q", c.id, c.part, why, ok, c.why)
		}
	}
	if got := len(freeSKUs()); got != 2*38 {
		t.Errorf("%d keys of free licenses", got)
	}
}

const published = "\xEF\xBB\xBFProduct_Display_Name,String_Id,GUID,Service_Plan_Name,Service_Plan_Id,Service_Plans_Included_Friendly_Names\r\n" +
	"Old Name,SPB," + skuSPB + ",A,1,\"A, B\"\r\n" +
	" New Name ,SPB ,CBDC14AB-D96C-4C30-B9F4-6ADA7CDC1D46,B,2,B\r\n" +
	"\"Quoted, \"\"Name\"\"\",Q_1," + skuUnknown + ",C,3,C\r\n"

func TestReadSKUTable(t *testing.T) {
	t.Parallel()
	table, err := ReadSKUTable(strings.NewReader(published))
	if err != nil {
		t.Fatal(err)
	}
	want := []Product{{skuUnknown, "Q_1", `Quoted, "Name"`}, {skuSPB, "SPB", "New Name"}}
	if diff := cmp.Diff(want, table.Products()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	both := BuiltInSKUs().With(table)
	if both.Name(skuSPB, "") != "New Name" || both.Name(skuFlow, "") != "Microsoft Power Automate Free" || BuiltInSKUs().Name(skuSPB, "") == "New Name" {
		t.Error("the newer table doesn't lie over the older")
	}
}

func TestSKUTablesThatAreRefused(t *testing.T) {
	t.Parallel()
	head, _, _ := strings.Cut(published, "\r\n")
	for name, c := range map[string]struct{ body, want string }{
		"empty":       {"", "first line"},
		"no rows":     {head + "\r\n", "empty"},
		"a page":      {"<html>\n<body>", "no column"},
		"no GUID":     {strings.Replace(published, "GUID", "Id", 1), `"GUID"`},
		"bad GUID":    {strings.Replace(published, skuSPB, "SPB", 1), "row 2"},
		"no name":     {strings.Replace(published, "Old Name", " ", 1), "row 2"},
		"short row":   {published + "x,y\r\n", "wrong number of fields"},
		"open quote":  {published + "\"x,SPB," + skuSPB, "quote"},
		"not UTF-8":   {strings.Replace(published, "Old Name", "Caf\xe9", 1), "UTF-8"},
		"too large":   {published + strings.Repeat("\n", maxTableBytes), "too large"},
		"a long line": {head + "\r\n" + strings.Repeat("x", maxTableBytes), "too large"},
	} {
		if table, err := ReadSKUTable(strings.NewReader(c.body)); table != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
