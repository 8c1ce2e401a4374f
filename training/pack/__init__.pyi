from .command import INDEX_NAME as INDEX_NAME
from .command import SHARDS_NAME as SHARDS_NAME
from .command import VERSION as VERSION
from .command import Shard as Shard
from .command import need_webdataset as need_webdataset
from .command import pack as pack
from .command import shrunk as shrunk
