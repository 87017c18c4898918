"""Small files of each format, for the tests of reading."""

TRACE = """{"icao":"ae0455","r":"162143","t":"C2","timestamp":1600120071.619,"trace":[
[0.1,32.1,-117.2,"ground",10.5,90.0,2,null,
 {"flight":"PSWRD35 ","squawk":"1200","nac_p":9},"adsb_icao",150],
[8.96,32.2,-117.3,1000,100,91.5,9,-64,null,"mlat",1100],
[9.5,32.3,-117.4,null,101,92.5,0,0],
[20,32.4,-117.5,1200,101,92.5,2,0,null],
[30], "no row", [31,"north",-117.5,0]
]}"""

SNAPSHOT = (
    '{"now":1600000000.5,"aircraft":['
    '{"hex":"~abc123","lat":1,"lon":2,"seen_pos":1.25,"alt_baro":"ground","gs":3,"flight":"X  "},'
    '{"hex":"ae0455","lat":3,"lon":4,"seen_pos":0,"alt_baro":100,"alt_geom":200,"track":359.5,'
    '"baro_rate":-64,"squawk":"0017","t":"C2","r":"162143","nac_p":10},'
    '{"hex":"ae0456","seen":0.1}]}'
)

SBS = """\
MSG,1,1,1,4CA7B6,1,2020/09/14,21:47:50.000,2020/09/14,21:47:50.100,RYR1ABC ,,,,,,,,,,,
MSG,4,1,1,4CA7B6,1,2020/09/14,21:47:50.500,2020/09/14,21:47:50.600,,,433.5,120.1,,,-64,,,,,
MSG,3,1,1,4CA7B6,1,2020/09/14,21:47:51.000,2020/09/14,21:47:51.100,,35000,,,51.5,-0.5,,,0,0,0,0
garbage here
STA,,5,179,400AE7,10103,2020/09/14,21:47:51.153,2020/09/14,21:47:51.153,RM
MSG,6,1,1,4CA7B6,1,2020/09/14,21:47:52.000,2020/09/14,21:47:52.100,,,,,,,,4637,0,0,0,0
MSG,3,1,1,400AE7,1,2020/09/14,21:47:53.000,2020/09/14,21:47:53.100,,100,,,51.0,-0.4,,,0,0,0,-1
MSG,3,1,1,4CA7B6,1,2020/09/14,21:48:21.000,2020/09/14,21:48:21.100,,35000,,,51.6,-0.5,,,0,0,0,0
MSG,3,1,1,4CA7B6,1,2020/09/14,21:48:22.000,2020/09/14,21:48:22.100,,35000,,,,,,,0,0,0,0
"""

GPX = """<?xml version="1.0"?><gpx version="1.{minor}" xmlns="http://www.topografix.com/GPX/1/{minor}">
<trk><name>N1</name><trkseg>
<trkpt lat="1" lon="2"><ele>1000</ele><time>2020-01-01T00:00:00Z</time></trkpt>
<trkpt lat="1.1" lon="x"><time>2020-01-01T00:00:10Z</time></trkpt></trkseg></trk>
<trk><trkseg><trkpt lat="3" lon="4"><time>2020-01-01T01:00:00+01:00</time></trkpt></trkseg></trk>
</gpx>"""

KML = """<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2">
<Document><name>UAL1</name>
<Placemark><name>T1</name><gx:Track>
<when>2020-01-01T00:00:00Z</when><when>2020-01-01T00:00:10Z</when>
<gx:coord>10 50 1000</gx:coord><gx:coord>10.1 50</gx:coord></gx:Track></Placemark>
<Placemark><TimeSpan><begin>2020-01-01T00:00:00Z</begin></TimeSpan>
<LineString><coordinates>1,2 3,4</coordinates></LineString></Placemark>
<Folder><name>Route</name><Placemark><TimeStamp><when>2020-01-01T00:00:20Z</when></TimeStamp>
<Point><coordinates>11,51,100</coordinates></Point></Placemark></Folder></Document></kml>"""

GEOJSON = """{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"time":"2020-01-01T00:00:00Z","hex":"abc123","altitude_m":100},
 "geometry":{"type":"Point","coordinates":[10,50]}},
{"type":"Feature","properties":{"coordTimes":["2020-01-01T00:00:00Z",1577836810000],"name":"X"},
 "geometry":{"type":"LineString","coordinates":[[10,50,1000],[11,50]]}},
{"type":"Feature","geometry":{"type":"Polygon","coordinates":[]}}, 7,
{"type":"Feature","properties":{"coordinateProperties":{"times":[["2020-01-01T00:00:00Z"]]}},
 "id":"M","geometry":{"type":"MultiLineString","coordinates":[[[12,51]]]}}]}"""
