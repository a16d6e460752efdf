package addr

import (
	"errors"
	"net/netip"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func TestParseWanted(t *testing.T) {
	got, err := Wanted{
		Subnets:  []string{"10.5.0.0/24", " 10.6.0.0/16 "},
		Gateways: []string{"10.6.0.1"},
		IPRanges: []string{"10.5.0.128/25"},
	}.Parse()
	assert.NilError(t, err)
	assert.Equal(t, len(got), 2)
	assert.Equal(t, got[0].Prefix, pfx("10.5.0.0/24"))
	assert.Equal(t, got[0].IPRange, pfx("10.5.0.128/25"))
	assert.Check(t, !got[0].Gateway.IsValid())
	assert.Equal(t, got[1].Gateway, netip.MustParseAddr("10.6.0.1"))
	none, err := Wanted{}.Parse()
	assert.NilError(t, err)
	assert.Check(t, is.Len(none, 0))
}

func TestParseWantedRefuses(t *testing.T) {
	subnet := []string{"10.5.0.0/24"}
	for _, tc := range []struct {
		doc  string
		w    Wanted
		want []string
	}{
		{"no block", Wanted{Subnets: []string{"10.5.0.0"}}, []string{`subnet "10.5.0.0" is not a block of addresses`}},
		{"host bits", Wanted{Subnets: []string{"10.5.0.7/24"}}, []string{"10.5.0.7/24 has host bits set: did you mean 10.5.0.0/24?"}},
		{"IPv6", Wanted{Subnets: []string{"fd00::/64"}}, []string{"fd00::/64 is IPv6"}},
		{"too small", Wanted{Subnets: []string{"10.5.0.0/30"}}, []string{"10.5.0.0/30 is too small"}},
		{"unspecified", Wanted{Subnets: []string{"0.0.0.0/20"}}, []string{"use --size 20"}},
		{"loopback", Wanted{Subnets: []string{"127.0.0.0/24"}}, []string{"reserved for other uses"}},
		{"overlap", Wanted{Subnets: []string{"10.5.0.0/24", "10.5.0.128/25"}}, []string{"overlaps subnet 10.5.0.0/24"}},
		{"nothing to lie in", Wanted{Gateways: []string{"10.5.0.1"}}, []string{"needs the --subnet"}},
		{"gateway outside", Wanted{Subnets: subnet, Gateways: []string{"10.6.0.1"}}, []string{"gateway 10.6.0.1 lies in no subnet"}},
		{"gateway of the other family", Wanted{Subnets: subnet, Gateways: []string{"fd00::1"}}, []string{"gateway fd00::1 lies in no subnet"}},
		{"gateway is no address", Wanted{Subnets: subnet, Gateways: []string{"gw"}}, []string{`gateway "gw" is not an IP address`}},
		{"gateway is the broadcast address", Wanted{Subnets: subnet, Gateways: []string{"10.5.0.255"}}, []string{"network or broadcast address"}},
		{"two gateways", Wanted{Subnets: subnet, Gateways: []string{"10.5.0.1", "10.5.0.2"}}, []string{"two gateways"}},
		{"range outside", Wanted{Subnets: subnet, IPRanges: []string{"10.6.0.0/25"}}, []string{"lies in no subnet"}},
		{"range larger", Wanted{Subnets: subnet, IPRanges: []string{"10.5.0.0/16"}}, []string{"larger than the subnet"}},
		{"range too small", Wanted{Subnets: subnet, IPRanges: []string{"10.5.0.64/31"}}, []string{"too small"}},
		{"two ranges", Wanted{Subnets: subnet, IPRanges: []string{"10.5.0.0/25", "10.5.0.128/25"}}, []string{"two ip-ranges"}},
		{"aux addresses", Wanted{Subnets: subnet, Aux: map[string]string{"b": "10.5.0.9", "a": "10.5.0.8"}}, []string{"--aux-address (a, b)"}},
		{
			"all at once",
			Wanted{Subnets: []string{"10.5.0.0/33", "10.6.0.0/30"}, Gateways: []string{"x"}},
			[]string{`subnet "10.5.0.0/33"`, "10.6.0.0/30 is too small", `gateway "x"`},
		},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			_, err := tc.w.Parse()
			var p *problem.Error
			assert.Assert(t, errors.As(err, &p))
			assert.Check(t, is.Equal(p.Code, problem.Usage))
			for _, w := range tc.want {
				assert.Check(t, is.ErrorContains(err, w))
			}
		})
	}
}

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int{"24": 24, "/22": 22, " /29": 29} {
		got, err := ParseSize(in)
		assert.NilError(t, err)
		assert.Equal(t, got, want)
	}
	for _, in := range []string{"", "x", "/30", "7", "//24"} {
		_, err := ParseSize(in)
		assert.ErrorContains(t, err, "prefix length from /8 to /29")
	}
}

func TestCheckOptions(t *testing.T) {
	assert.NilError(t, CheckOptions(nil))
	assert.NilError(t, CheckOptions(map[string]string{
		"encrypted": "", swarm.OptMTU: "1450", swarm.OptVNI: "4100,4200",
		"com.docker.network.advertise_addr_ms": "200", "com.docker.network.advertise_addr_nmsgs": "0",
	}))
	for _, tc := range []struct{ key, value, want string }{
		{"com.docker.network.mtu", "1400", `did you mean "com.docker.network.driver.mtu"?`},
		{"com.docker.network.driver.mut", "1400", `did you mean "com.docker.network.driver.mtu"?`},
		{"com.docker.driver.mtu", "1400", `did you mean "com.docker.network.driver.mtu"?`},
		{"my.mtu", "1400", `did you mean "com.docker.network.driver.mtu"?`},
		{"encrypted ", "", `did you mean "encrypted"?`},
		{"Encrypted", "", `did you mean "encrypted"?`},
		{"encryptd", "", `did you mean "encrypted"?`},
		{"com.docker.network.driver.overlay.vxlan_id", "", `did you mean "com.docker.network.driver.overlay.vxlanid_list"?`},
		{"com.docker.network.bridge.enable_icc", "false", `would ignore it; it has com.docker`},
		{"encrypted", "false", "would encrypt all the same"},
		{"encrypted", "no", "would encrypt all the same"},
		{swarm.OptMTU, "-1", "is not an MTU"},
		{swarm.OptMTU, "1450 ", "is not an MTU"},
		{swarm.OptVNI, "0", "is not a VXLAN number"},
		{swarm.OptVNI, "4100,4100", "stands there twice"},
		{swarm.OptVNI, "16777216", "is not a VXLAN number"},
		{"com.docker.network.advertise_addr_nmsgs", "4", "is not a number from 0 to 3"},
	} {
		t.Run(tc.key+"="+tc.value, func(t *testing.T) {
			assert.ErrorContains(t, CheckOptions(map[string]string{tc.key: tc.value}), tc.want)
		})
	}
}

func TestContainerMTU(t *testing.T) {
	for _, tc := range []struct {
		underlay  int
		encrypted bool
		want      int
	}{
		{0, false, 1450},
		{1500, false, 1450},
		{1500, true, 1424},
		{1450, false, 1400},
		{1450, true, 1372}, // 1374 is no multiple of 4
		{9000, true, 8924},
	} {
		assert.Equal(t, ContainerMTU(tc.underlay, tc.encrypted), tc.want)
	}
	assert.Equal(t, MTU(swarm.Network{Options: map[string]string{swarm.OptMTU: "1450", swarm.OptEncrypted: ""}}), 1372)
	assert.Equal(t, MTU(swarm.Network{Options: map[string]string{swarm.OptMTU: "junk"}}), 1450)
	assert.NilError(t, CheckMTU(1450))
	assert.ErrorContains(t, CheckMTU(100), "between 576 and 65535")
}
